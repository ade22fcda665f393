-- Writes records of several kinds, all or none. An empty record is removed. 1: written; 0: the revision is another one, so the caller reads
-- again. Called by the guarded write of a resource.
if (call('GET', revision) or '0') ~= expectedRevision then return 0 end
for at, kind in ipairs(to) do
  local hash = kind == 'endpoints' and endpoints or HASHES[kind]
  if records[at] == '' then call('HDEL', hash, fields[at]) else call('HSET', hash, fields[at], records[at]) end
end
call('INCR', revision)
for _, signal in ipairs(changed) do publish(signal) end
return 1
