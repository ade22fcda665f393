-- Puts a taken job back in front of the queue. The worker ran nothing, so the attempt is not counted. 0: it does not hold the job.
-- Called by `jobs.giveBack`, and by `jobs.take` for a job that this worker must not get.
if call('GET', lockKey(id)) ~= worker or not requeueJob(id) then return 0 end
call('HINCRBY', jobKey(id), 'ats', -1)
publish(added)
return 1
