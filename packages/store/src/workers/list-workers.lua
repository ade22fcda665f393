-- The records of an endpoint's workers. Called by `workers.list`.
local found = {}
for _, id in ipairs(call('SMEMBERS', WORKERS)) do
  local fields = call('HGETALL', workerKey(id))
  if #fields > 0 then found[#found + 1] = fields end
end
return found
