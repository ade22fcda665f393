-- The numbers of an endpoint's queue, in the order in which read.ts names them. Called by `jobs.stats`.

-- Jobs past their deadline that one read ends; the rest is not counted.
local EXPIRED_AT_ONCE = 50
-- A nil would cut the answer short, false does not.
local function submittedAt(id) return id and call('HGET', jobKey(id), 'timestamp') or false end
local overdue = expireDue(EXPIRED_AT_ONCE)
local low = call('ZRANGE', PRIORITIZED, 0, 0)
local suspects = { low = call('ZCOUNT', SUSPECTS, 1e15, '(inf'), normal = call('ZCOUNT', SUSPECTS, '-inf', '(1e15') }
local ended = call('HLEN', ENDED)
for _, number in ipairs(call('HKEYS', PURGES)) do
  ended = ended + call('LLEN', purgedWaitKey(number)) + call('ZCARD', purgedLowKey(number))
end
local counters = call('HMGET', COUNTERS, 'completed', 'failed', 'retried', 'keptBytes', 'webhooksDropped', 'cancelled', 'timedOut')
return {
  math.max(0, call('LLEN', WAIT) + suspects.normal - overdue), call('ZCARD', PRIORITIZED) + suspects.low, call('LLEN', ACTIVE),
  submittedAt(call('LINDEX', WAIT, -1)), submittedAt(low[1]), submittedAt(firstSuspect()),
  call('ZRANGE', DEADLINES, 0, 0, 'WITHSCORES')[2] or false, counters[1], counters[2], counters[3],
  ended, counters[4], counters[5], counters[6], counters[7], call('LLEN', EXPIRED),
}
