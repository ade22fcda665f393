-- Each request becomes a job once. Returns 0 where it was submitted before, or its batch was cancelled.
local record = call('HMGET', batchKey(batch), 'status', 'key')
if record[1] ~= 'FINALIZED' then return 0 end
local bytes = call('HSTRLEN', batchDraftsKey(batch), job.id)
if call('HDEL', batchDraftsKey(batch), job.id) == 0 then return 0 end
releaseDrafts(batch, weighDraft(bytes))
job.key = record[2] or ''
submitJob(job)
publish(added)
return 1
