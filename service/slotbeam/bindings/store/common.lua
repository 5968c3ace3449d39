#!lua
-- What commit.lua and restore.lua share; `Script.load` puts it before either.

-- {'type', key} of a key that slotbeam did not write; nil when all are hashes, and `log` a stream.
local function of_other_type(hashes, log)
  local function wrong(key, wanted)
    local kind = redis.call('TYPE', key)['ok']
    return kind ~= wanted and kind ~= 'none'
  end
  for _, key in ipairs(hashes) do
    if wrong(key, 'hash') then return {'type', key} end
  end
  if wrong(log, 'stream') then return {'type', log} end
end

-- The stream entry is the only write that can be refused (an id not above the last one): call it before all others.
-- {'log', why} when it was refused.
local function append(log, plan)
  local entry = {'XADD', log, 'MAXLEN', '~', plan.keep, plan.revision .. '-0'}
  for _, field in ipairs(plan.entry) do entry[#entry + 1] = field end
  local added = redis.pcall(unpack(entry))
  if type(added) == 'table' and added['err'] then return {'log', added['err']} end
end

