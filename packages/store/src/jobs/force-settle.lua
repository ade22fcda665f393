if isSettled(id) then
  if call('EXISTS', jobKey(id)) == 1 then dropJob(id) end
  return { 'already_settled', '', readRecord(id) }
end
local holder = holderOf(id) or ''
if not settleJob(id, holder, ending) then return { 'unknown', '', false } end
publish(settled)
return { 'settled', holder, readRecord(id) }
