local refused = noRoomFor(1, weigh(job), queueJobs, queueBytes)
if refused then return refused end
if isKeyFull(job.key, 1, keyJobs) then return 'key_full' end
submitJob(job)
publish(added)
return 'accepted'
