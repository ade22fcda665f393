if call('HGET', records, id) ~= before then return 0 end
if call('HSETNX', hashes, newHash, id) == 0 then return 0 end
call('HSET', hashes, oldHash, '')
call('HSET', records, id, after)
publish(changed)
return 1
