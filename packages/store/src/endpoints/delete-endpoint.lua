if call('HGET', records, id) ~= before then return 0 end
call('HDEL', records, id)
call('HDEL', names, name)
call('HDEL', bound, boundTemplate)
call('SADD', deleted, id)
call('HSET', owners, id, owner)
call('ZADD', ownersSince, now, id)
call('INCR', revision)
publish(changed)
return 1
