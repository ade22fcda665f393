-- Moves the totals of endpoints that are completely gone to their owners. Called by `ledger.tidy` and when an endpoint is forgotten.
local all = call('HGETALL', totals)
for at = 1, #all, 2 do
  local endpoint, gpuType, state = unpack(cjson.decode(all[at]), 1, 3)
  if endpoint ~= '' and call('HEXISTS', records, endpoint) == 0 and call('SISMEMBER', deleted, endpoint) == 0 then
    local owner = call('HGET', owners, endpoint) or ''
    call('HDEL', totals, all[at])
    call('HINCRBY', totals, cjson.encode({ '', gpuType, state, owner }), all[at + 1])
  end
end
