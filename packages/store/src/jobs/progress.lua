-- Stores a worker's progress report and renews the lease, since the report is a sign of life. Called by `jobs.progress`.
if isSettled(id) then return 'already_settled' end
if holderOf(id) ~= worker then return 'not_holder' end
call('HSET', jobKey(id), 'progress', progress)
call('SET', lockKey(id), worker, 'PX', leaseMs)
return 'settled'
