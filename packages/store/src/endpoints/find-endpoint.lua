-- The record of the endpoint with that name, or nothing. Called by `endpoints.upsert`.
local id = call('HGET', names, name)
return id and call('HGET', records, id)
