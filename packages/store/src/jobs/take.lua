-- Gives a worker the next job. BullMQ's own script makes it active under its lock (ADR 1); around it are the rules that BullMQ does not know: a
-- job past its deadline never starts, and one that was lost together with others runs alone (ADR 34). The job; false: the queue is empty;
-- `not_now`: this worker gets nothing now; `again`: call again. Called by `jobs.take`.

-- Jobs past their deadline that one take ends, which bounds the work of one script.
local EXPIRED_AT_ONCE = 50

local function nextWaiting() return call('LINDEX', WAIT, -1) or call('ZRANGE', PRIORITIZED, 0, 0)[1] end

for _ = 1, EXPIRED_AT_ONCE do
  local kind, suspect = allowance(worker)
  if kind == 'none' then return 'not_now' end
  local next = suspect or nextWaiting()
  if not next then return false end
  if isOverdue(next) then
    endIfOver(next)
  else
    if suspect then
      call('RPUSH', WAIT, suspect)
      suspectRuns(suspect)
    end
    local id = bullTake(worker, now, leaseMs)
    if not id then return false end
    return { id, unpack(call('HMGET', jobKey(id), 'data', 'timestamp', 'processedOn', 'ats', 'opts')) }
  end
end
return 'again'
