-- Ends up to `limit` jobs whose ttl is over, whatever their state (client-api §4.4), and replies with those that had not ended yet.
-- Called by `jobs.sweepExpired`.
local swept = {}
for _, id in ipairs(call('ZRANGEBYSCORE', DEADLINES, '-inf', ending.now, 'LIMIT', 0, limit)) do
  endIfPurged(id)
  if call('EXISTS', settledKey(id)) == 0 then swept[#swept + 1] = id end
  expireJob(id, ending)
end
return swept
