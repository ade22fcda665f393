-- Makes an event due at once, also one that was given up. `due`, `in_delivery` or `unknown`. Called by `webhooks.redeliver`.
local row = call('HMGET', eventKey(event), 'lane', 'settledAt', 'lease')
if not row[1] then return 'unknown' end
if row[3] then return 'in_delivery' end
call('HSET', eventKey(event), 'asked', 1)
call('ZREM', GIVEN_UP, event)
call('ZADD', OUTBOX, row[2], event)
call('ZADD', laneKey(row[1]), now, event)
indexLane(row[1])
callCourier()
return 'due'
