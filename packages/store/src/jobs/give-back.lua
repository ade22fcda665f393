-- The worker ran nothing, so this attempt is not counted.
if call('GET', lockKey(id)) ~= worker or not requeueJob(id) then return 0 end
call('HINCRBY', jobKey(id), 'ats', -1)
publish(added)
return 1
