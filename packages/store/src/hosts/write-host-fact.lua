-- Writes one fact of a host; an empty text removes it. Called by `hosts.putSight`, `putRest`, `putCordon` and `putImages`.
if fact == '' then return call('HDEL', hosts, field) end
return call('HSET', hosts, field, fact)
