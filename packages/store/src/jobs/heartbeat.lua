-- Records a worker's sign of life and renews its leases. Replies with the jobs that it does not hold and, if asked, all leases of the endpoint.
-- Called by `jobs.heartbeat`.
if call('EXISTS', workerKey(worker)) == 1 then call('HSET', workerKey(worker), 'lastSeenAt', now) end
local notHeld = renewNamed(ids, worker, leaseMs)
return { notHeld, withLeases and readLeases() }
