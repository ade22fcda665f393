-- Marks a batch as cancelled and drops its drafts; the caller then cancels its jobs. `ok` or `unknown`. Called by `batches.cancel`.
if call('EXISTS', batchKey(id)) == 0 then return 'unknown' end
call('HSET', batchKey(id), 'status', 'CANCELLED')
call('DEL', batchDraftsKey(id))
releaseDrafts(id, math.huge)
return 'ok'
