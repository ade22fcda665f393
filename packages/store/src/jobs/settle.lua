-- Ends a job with its worker's result, once. `already_settled`, `not_holder`, or `settled` with the facts for the journal. Called by `jobs.settle`.
local isHolder = holderOf(id) == worker
local isPlain = isPlainJob(id)
if not isPlain and isSettled(id) then
  if isHolder then dropJob(id) end
  return 'already_settled'
end
if not isHolder then return 'not_holder' end
local facts = settleJob(id, worker, ending, isPlain)
if not facts then return 'not_holder' end
publish(settled)
return { 'settled', unpack(facts) }
