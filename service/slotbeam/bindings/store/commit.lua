-- One commit. ALL checks first, then ALL writes: Redis does not roll a script back.
-- KEYS: meta binding slots word log idem, then one {sb}:items:<sha> for each list the commit needs
--       (n = plan.needs), then one for each list that nothing refers to any more.
-- ARGV: plan (JSON, strings only)
-- Returns {"ok", revision} or {why, ...}; anything but "ok" has written nothing.
local meta, binding, slots, word, log, idem = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local plan = cjson.decode(ARGV[1])

local wrong = of_other_type({meta, binding, slots, word, idem}, log)
if wrong then return wrong end

local epoch = redis.call('HGET', meta, 'epoch')
if epoch ~= plan.epoch then return {'epoch', epoch or ''} end

local seen = redis.call('HGET', idem, plan.key)
if seen then return {'idem', seen} end

local revision = redis.call('HGET', meta, 'rev')
if revision ~= plan.before then return {'stale', revision or ''} end

for _, pair in ipairs(plan.words_put) do
  local holder = redis.call('HGET', word, pair[1])
  if holder and holder ~= pair[2] and redis.call('HEXISTS', binding, holder) == 1 then return {'word', pair[1], holder} end
end
for _, pair in ipairs(plan.slots_put) do
  local holder = redis.call('HGET', slots, pair[1])
  if holder and holder ~= pair[2] and redis.call('HEXISTS', binding, holder) == 1 then return {'slot', pair[1], holder} end
end
local needs = tonumber(plan.needs)
for i = 7, 6 + needs do
  if redis.call('EXISTS', KEYS[i]) == 0 then return {'items', KEYS[i]} end
end

local refused = append(log, plan)
if refused then return refused end

for _, id in ipairs(plan.words_del) do redis.call('HDEL', word, id) end
for _, id in ipairs(plan.slots_del) do redis.call('HDEL', slots, id) end
for _, id in ipairs(plan.del) do redis.call('HDEL', binding, id) end
for _, pair in ipairs(plan.put) do redis.call('HSET', binding, pair[1], pair[2]) end
for _, pair in ipairs(plan.slots_put) do redis.call('HSET', slots, pair[1], pair[2]) end
for _, pair in ipairs(plan.words_put) do redis.call('HSET', word, pair[1], pair[2]) end
for i = 7, 6 + needs do redis.call('PERSIST', KEYS[i]) end
for i = 7 + needs, #KEYS do redis.call('EXPIRE', KEYS[i], plan.linger) end
local old = redis.call('XRANGE', log, plan.prune .. '-0', plan.prune .. '-0')
if old[1] then
  for i = 1, #old[1][2], 2 do
    if old[1][2][i] == 'key' then redis.call('HDEL', idem, old[1][2][i + 1]) end
  end
end
redis.call('HSET', idem, plan.key, plan.outcome)
redis.call('HSET', meta, 'rev', plan.revision, 'state', plan.state, 'count', plan.count,
           'normalizer', plan.normalizer, 'icu', plan.icu)
return {'ok', plan.revision}
