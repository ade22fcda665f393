-- Gives an API key a new secret. The old hash stays with an empty id, as after a revocation. 1: done; 0: the record changed or the new hash
-- exists, so the caller reads again. Called by `keys.rotate`.
if call('HGET', records, id) ~= before then return 0 end
if call('HSETNX', hashes, newHash, id) == 0 then return 0 end
call('HSET', hashes, oldHash, '')
call('HSET', records, id, after)
publish(changed)
return 1
