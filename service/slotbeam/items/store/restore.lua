-- One restore of items: every record is replaced, in a new epoch at a higher seq.
-- ALL checks first, then ALL writes: Redis does not roll a script back.
-- KEYS: imeta item feed
-- ARGV: plan (JSON, strings only), then for each record its id and bytes.
-- Returns {"ok", seq} or {why, ...}; anything but "ok" has written nothing.
local imeta, item, feed = KEYS[1], KEYS[2], KEYS[3]
local plan = cjson.decode(ARGV[1])

local wrong = of_other_type({imeta, item}, feed)
if wrong then return wrong end

local epoch = redis.call('HGET', imeta, 'epoch') or ''
local seq = redis.call('HGET', imeta, 'seq') or ''
if epoch ~= plan.epoch_before or seq ~= plan.before then return {'stale', seq} end

local entry = {'epoch', plan.epoch, 'at', plan.at, 'actor', plan.actor, 'op', 'restore', 'digest', plan.digest}
local refused = append(feed, {keep = plan.keep, revision = plan.seq, entry = entry})
if refused then return refused end

redis.call('DEL', item)
for i = 2, #ARGV, 2 do redis.call('HSET', item, ARGV[i], ARGV[i + 1]) end
redis.call('HSET', imeta, 'epoch', plan.epoch, 'seq', plan.seq, 'digest', plan.digest, 'count', plan.count,
           'began', plan.seq, 'base', plan.base)
return {'ok', plan.seq}
