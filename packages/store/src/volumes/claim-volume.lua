-- The store of a volume: the given one if it has none yet. Called before the first worker of a volume starts.
call('HSETNX', stores, id, wanted)
return call('HGET', stores, id)
