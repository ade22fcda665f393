return renewNamed(ids, worker, leaseMs)
