-- One restore: everything the store holds for one codebook is replaced, in a new epoch at a higher revision.
-- ALL checks first, then ALL writes: Redis does not roll a script back.
-- KEYS: meta binding slots word log, then one {sb}:items:<sha> for each list the bindings name (n = plan.needs),
--       then one for each list that nothing refers to any more.
-- ARGV: plan (JSON, strings only)
-- Returns {"ok", revision} or {why, ...}; anything but "ok" has written nothing.
local meta, binding, slots, word, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local plan = cjson.decode(ARGV[1])

local wrong = of_other_type({meta, binding, slots, word}, log)
if wrong then return wrong end

local epoch = redis.call('HGET', meta, 'epoch') or ''
local revision = redis.call('HGET', meta, 'rev') or ''
if epoch ~= plan.epoch_before or revision ~= plan.before then return {'stale', revision} end
local needs = tonumber(plan.needs)
for i = 6, 5 + needs do
  if redis.call('EXISTS', KEYS[i]) == 0 then return {'items', KEYS[i]} end
end

local refused = append(log, plan)
if refused then return refused end

redis.call('DEL', binding, slots, word)
for _, pair in ipairs(plan.records) do redis.call('HSET', binding, pair[1], pair[2]) end
for _, pair in ipairs(plan.slots) do redis.call('HSET', slots, pair[1], pair[2]) end
for _, pair in ipairs(plan.words) do redis.call('HSET', word, pair[1], pair[2]) end
for i = 6, 5 + needs do redis.call('PERSIST', KEYS[i]) end
for i = 6 + needs, #KEYS do redis.call('EXPIRE', KEYS[i], plan.linger) end
redis.call('HSET', meta, 'epoch', plan.epoch, 'rev', plan.revision, 'state', plan.state, 'count', plan.count,
           'schema', plan.schema, 'began', plan.revision)
-- What is restored may have been written under any: the next commit names its own.
redis.call('HDEL', meta, 'normalizer', 'icu')
return {'ok', plan.revision}
