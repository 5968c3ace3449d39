-- One switch of the index. ALL checks first, then ALL writes: Redis does not roll a script back.
-- KEYS: index imeta feed
-- ARGV: plan (JSON, strings only), then names and values of the hash.
-- Returns {"ok"} or {why, ...}; anything but "ok" has written nothing.
local index, imeta, feed = KEYS[1], KEYS[2], KEYS[3]
local plan = cjson.decode(ARGV[1])

local wrong = of_other_type({index, imeta}, feed)
if wrong then return wrong end

local function is(key, field, wanted) return (redis.call('HGET', key, field) or '') == wanted end
if not (is(index, 'number', plan.before) and is(imeta, 'epoch', plan.epoch) and is(imeta, 'base', plan.base)) then
  return {'stale'}
end

redis.call('DEL', index)
redis.call('HSET', index, unpack(ARGV, 2))
return {'ok'}
