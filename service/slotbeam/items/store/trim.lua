-- Records that every index in use holds are let go. ALL checks first, then ALL writes: Redis rolls nothing back.
-- KEYS: imeta item feed index
-- ARGV: plan (JSON, strings only), then the ids.
-- Returns {"ok", seq} or {why, ...}; anything but "ok" has written nothing.
local imeta, item, feed, index = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local plan = cjson.decode(ARGV[1])

local wrong = of_other_type({imeta, item, index}, feed)
if wrong then return wrong end

local function is(key, field, wanted) return (redis.call('HGET', key, field) or '') == wanted end
if not (is(imeta, 'epoch', plan.epoch) and is(imeta, 'seq', plan.before) and is(index, 'number', plan.number)) then
  return {'stale'}
end

local entry = {'epoch', plan.epoch, 'at', plan.at, 'actor', plan.actor, 'op', 'trim', 'digest', plan.digest}
local refused = append(feed, {keep = plan.keep, revision = plan.after, entry = entry})
if refused then return refused end

for i = 2, #ARGV do redis.call('HDEL', item, ARGV[i]) end
redis.call('HSET', imeta, 'seq', plan.after, 'digest', plan.digest, 'count', plan.count, 'base', plan.base)
return {'ok', plan.after}
