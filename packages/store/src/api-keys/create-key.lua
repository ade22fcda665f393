if call('HSETNX', hashes, hash, id) == 0 then return 0 end
call('HSET', records, id, record)
publish(changed)
return 1
