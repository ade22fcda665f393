-- Removes one request from a draft. `ok`, `unknown_request`, or the status in which nothing can be removed. Called by `batches.drop`.
local status = noDraft(id)
if status then return status end
local bytes = call('HSTRLEN', batchDraftsKey(id), request)
if call('HDEL', batchDraftsKey(id), request) == 0 then return 'unknown_request' end
call('LREM', batchIdsKey(id), 1, request)
call('HINCRBY', batchKey(id), 'requestTotal', -1)
call('HINCRBY', batchKey(id), 'bytes', -bytes)
releaseDrafts(id, weighDraft(bytes))
return 'ok'
