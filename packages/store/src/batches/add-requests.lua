-- Adds requests to a draft. Checks all limits first, so either all requests are added or none. `ok`, or the reason of the refusal.
-- Called by `batches.add`.
local status = noDraft(id)
if status then return status end
local bytes, weight = 0, 0
for _, text in ipairs(submissions) do
  bytes = bytes + #text
  weight = weight + weighDraft(#text)
end
if number(id, 'requestTotal') + #requests > mostRequests then return 'too_many' end
if number(id, 'bytes') + bytes > mostBytes then return 'too_large' end
releaseExpiredDrafts()
local refused = noRoomFor(0, weight, math.huge, queueBytes)
if refused then return refused end
addDrafts(id, weight)
for at, request in ipairs(requests) do
  call('HSET', batchDraftsKey(id), request, submissions[at])
  call('RPUSH', batchIdsKey(id), request)
end
call('HINCRBY', batchKey(id), 'requestTotal', #requests)
call('HINCRBY', batchKey(id), 'bytes', bytes)
call('HSET', batchKey(id), 'ttlMs', string.format('%.0f', math.max(number(id, 'ttlMs'), ttlMs)))
live(id, lifeMs)
return 'ok'
