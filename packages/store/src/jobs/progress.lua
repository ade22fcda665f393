-- A sign of life, so the lease is renewed.
if isSettled(id) then return 'already_settled' end
if holderOf(id) ~= worker then return 'not_holder' end
call('HSET', jobKey(id), 'progress', progress)
call('SET', lockKey(id), worker, 'PX', leaseMs)
return 'settled'
