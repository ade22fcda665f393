-- Closes a draft; the caller then submits its requests. Checks first that the queue and the API key have room for all of them.
-- `ok` also when it is repeated. Called by `batches.finalize`.
local status = noDraft(id)
if status then return status == 'FINALIZED' and 'ok' or status end
local total = number(id, 'requestTotal')
if total == 0 then return 'empty' end
if call('LLEN', WAIT) + call('ZCARD', PRIORITIZED) + total > queueJobs then return 'queue_full' end
if isKeyFull(key, total, keyJobs) then return 'key_full' end
call('HSET', batchKey(id), 'status', 'FINALIZED', 'key', key)
live(id, string.format('%.0f', number(id, 'ttlMs') + keepMs))
return 'ok'
