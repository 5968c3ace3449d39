-- One commit of items. ALL checks first, then ALL writes: Redis does not roll a script back.
-- KEYS: imeta item feed iidem
-- ARGV: plan (JSON, strings only), then for each record its id, seq, bytes, and the digest of all records after it.
-- Returns {"ok", seq} or {why, ...}; anything but "ok" has written nothing.
local imeta, item, feed, iidem = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local plan = cjson.decode(ARGV[1])

local wrong = of_other_type({imeta, item, iidem}, feed)
if wrong then return wrong end

local epoch = redis.call('HGET', imeta, 'epoch')
if epoch ~= plan.epoch then return {'epoch', epoch or ''} end

local seen = redis.call('HGET', iidem, 'key:' .. plan.key)
if seen then return {'idem', seen} end

local before = redis.call('HGET', imeta, 'seq')
if before ~= plan.before then return {'stale', before or ''} end

for i = 2, #ARGV, 4 do
  local entry = {'epoch', plan.epoch, 'at', plan.at, 'actor', plan.actor,
                 'id', ARGV[i], 'record', ARGV[i + 2], 'digest', ARGV[i + 3]}
  local refused = append(feed, {keep = plan.keep, revision = ARGV[i + 1], entry = entry})
  if refused then return refused end -- the first, or none: the ids of the others follow it
end

for i = 2, #ARGV, 4 do redis.call('HSET', item, ARGV[i], ARGV[i + 2]) end
-- So many keys are remembered: each commit takes the place of the one that many before it.
local commits = tonumber(redis.call('HGET', imeta, 'commits') or '0') + 1
local place = string.format('at:%d', commits % tonumber(plan.keys))
local oldest = redis.call('HGET', iidem, place)
if oldest then redis.call('HDEL', iidem, 'key:' .. oldest) end
redis.call('HSET', iidem, place, plan.key, 'key:' .. plan.key, plan.outcome)
redis.call('HSET', imeta, 'seq', plan.after, 'digest', plan.digest, 'count', plan.count,
           'commits', string.format('%d', commits))
return {'ok', plan.after}
