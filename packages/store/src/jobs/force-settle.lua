-- Ends a job whatever its state. Replies with the result, the worker that held it, and the job's record. Called by `jobs.forceSettle` (cancel,
-- timeouts, jobs that cannot run).
if isSettled(id) then
  if call('EXISTS', jobKey(id)) == 1 then dropJob(id) end
  return { 'already_settled', '', readRecord(id) }
end
local holder = holderOf(id) or ''
if not settleJob(id, holder, ending) then return { 'unknown', '', false } end
publish(settled)
return { 'settled', holder, readRecord(id) }
