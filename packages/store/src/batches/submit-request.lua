-- Turns one request of a finalized batch into a job, once. 1: submitted; 0: it was before, or the batch is cancelled.
-- Called when a batch is finalized, and again by the scaler if a gateway stopped in the middle.
local record = call('HMGET', batchKey(batch), 'status', 'key')
if record[1] ~= 'FINALIZED' then return 0 end
local bytes = call('HSTRLEN', batchDraftsKey(batch), job.id)
if call('HDEL', batchDraftsKey(batch), job.id) == 0 then return 0 end
releaseDrafts(batch, weighDraft(bytes))
job.key = record[2] or ''
submitJob(job)
publish(added)
return 1
