-- The state of each request: the status of its job, `DRAFT`, or '' if nothing is left of it. Called by `batches.states`.
local states = {}
for _, id in ipairs(requests) do
  endIfOver(id)
  local status = call('HGET', settledKey(id), 'status')
  if not status and call('EXISTS', jobKey(id)) == 1 then status = call('EXISTS', lockKey(id)) == 1 and 'IN_PROGRESS' or 'IN_QUEUE' end
  if not status and call('HEXISTS', batchDraftsKey(batch), id) == 1 then status = 'DRAFT' end
  if not status then
    local entry = readEntry(id)
    status = entry and entry.why ~= 'ttl' and entry.status or ''
  end
  states[#states + 1] = status
end
return states
