if call('EXISTS', workerKey(worker)) == 1 then call('HSET', workerKey(worker), 'lastSeenAt', now) end
local notHeld = renewNamed(ids, worker, leaseMs)
return { notHeld, withLeases and readLeases() }
