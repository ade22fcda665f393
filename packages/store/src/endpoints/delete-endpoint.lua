-- Deletes an endpoint's record and marks it as deleted. Its owner and its name are remembered for the ledger. 0: the record is not `before` any more, so the
-- caller reads again. Called by `endpoints.delete` and `endpoints.forget`.
if call('HGET', records, id) ~= before then return 0 end
call('HDEL', records, id)
call('HDEL', names, name)
call('HDEL', bound, boundTemplate)
call('SADD', deleted, id)
call('HSET', owners, id, owner, nameField, title)
call('ZADD', ownersSince, now, id)
call('INCR', revision)
publish(changed)
return 1
