-- Stores a new API key. 1: stored; 0: another key has the same hash. Called by `keys.create`.
if call('HSETNX', hashes, hash, id) == 0 then return 0 end
call('HSET', records, id, record)
publish(changed)
return 1
