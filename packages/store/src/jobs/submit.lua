local refused = noRoomFor(1, weigh(job), queueJobs, queueBytes)
if refused then return refused end
submitJob(job)
publish(added)
return 'accepted'
