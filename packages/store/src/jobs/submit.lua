-- Puts a job into the queue. `accepted`, or the reason of a refusal. Called by `jobs.submit`.
local refused, purges = noRoomFor(1, weigh(job), queueJobs, queueBytes)
if refused then return refused end
if isKeyFull(job.key, 1, keyJobs) then return 'key_full' end
submitJob(job, purges)
publish(added)
return 'accepted'
