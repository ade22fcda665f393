-- Writes records of several kinds, all or none. An empty record is removed. Called by the guarded write of a resource. Replies:
-- stale    the revision is another one; the caller reads again
-- gone     an artifact that a record is to hold does not exist any more          written
if (call('GET', revision) or '0') ~= expectedRevision then return 'stale' end
for _, id in ipairs(held) do
  if call('HEXISTS', artifacts, id) == 0 then return 'gone' end
end
local others = { endpoints = endpoints, manifests = manifests }
for at, kind in ipairs(to) do
  local hash = others[kind] or HASHES[kind]
  if records[at] == '' then call('HDEL', hash, fields[at]) else call('HSET', hash, fields[at], records[at]) end
end
for at, id in ipairs(held) do call('SADD', holdersOf .. id, holders[at]) end
for at, id in ipairs(released) do
  call('SREM', holdersOf .. id, releasers[at])
  if call('EXISTS', holdersOf .. id) == 0 then call('ZADD', artifactList, releasedUntil, id) end
end
call('INCR', revision)
for _, signal in ipairs(changed) do publish(signal) end
return 'written'
