if fact == '' then return call('HDEL', hosts, field) end
return call('HSET', hosts, field, fact)
