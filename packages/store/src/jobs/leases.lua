-- All leases of an endpoint. Called by `jobs.leases`.
return readLeases()
