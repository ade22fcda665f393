-- In whatever live state the jobs were, they are gone afterwards (client-api §4.4).
local swept = {}
for _, id in ipairs(call('ZRANGEBYSCORE', DEADLINES, '-inf', ending.now, 'LIMIT', 0, limit)) do
  endIfPurged(id)
  if call('EXISTS', settledKey(id)) == 0 then swept[#swept + 1] = id end
  expireJob(id, ending)
end
return swept
