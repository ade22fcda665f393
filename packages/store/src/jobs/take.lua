-- BullMQ's own step makes a job active under its lock (ADR 1). Around it, in the same script, stand the rules that it does not know: a job past its
-- deadline is never started, and one that was lost together with others runs alone (ADR 34).
-- Jobs past their deadline that one take ends, which bounds one script's work.
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
