-- Sets one field of a batch. `ended` also frees its place among the active ones. `ok` or `unknown`. Called by `batches.rename` and
-- `batches.noteEnded`.
if call('EXISTS', batchKey(id)) == 0 then return 'unknown' end
call('HSET', batchKey(id), field, value)
if field == 'ended' then call('SREM', ACTIVE_BATCHES, id) end
return 'ok'
