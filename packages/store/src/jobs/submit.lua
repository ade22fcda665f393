-- Puts a job into the queue. `accepted`, or the reason of a refusal. Called by `jobs.submit`.
local refused = noRoomFor(1, weigh(job), queueJobs, queueBytes)
if refused then return refused end
if isKeyFull(job.key, 1, keyJobs) then return 'key_full' end
submitJob(job)
publish(added)
return 'accepted'
