-- The fields of a worker's record. Called by `workers.get` and `workers.remove`.
return call('HGETALL', worker)
