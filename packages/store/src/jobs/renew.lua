-- Renews a worker's leases. Replies with the jobs that it does not hold. Called by `jobs.renew`.
return renewNamed(ids, worker, leaseMs)
