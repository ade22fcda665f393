-- Creates an empty draft, after dropping expired and old batches. `ok`, `too_many` active batches, or `forgotten` (a deleted endpoint).
-- Called by `batches.create`.
if call('EXISTS', FORGOTTEN) == 1 then return 'forgotten' end
dropExpiredBatches()
releaseExpiredDrafts()
dropOldest()
for _, other in ipairs(call('SMEMBERS', ACTIVE_BATCHES)) do
  if call('EXISTS', batchKey(other)) == 0 then call('SREM', ACTIVE_BATCHES, other) end
end
if call('SCARD', ACTIVE_BATCHES) >= mostActive then return 'too_many' end
call('HSET', batchKey(id), 'status', 'DRAFT', 'createdAt', now)
call('SADD', ACTIVE_BATCHES, id)
call('ZADD', BATCHES, now, id)
live(id, lifeMs)
return 'ok'
