-- All writes or none, which is where another writer came first.
if (call('GET', revision) or '0') ~= expectedRevision then return 0 end
local hashes = { templates = templates, endpoints = endpoints, registries = registries }
for at, hash in ipairs(to) do
  if records[at] == '' then call('HDEL', hashes[hash], fields[at]) else call('HSET', hashes[hash], fields[at], records[at]) end
end
call('INCR', revision)
for _, signal in ipairs(changed) do publish(signal) end
return 1
