-- Writes an endpoint if all conditions hold; an empty text is no condition. Called by `endpoints.upsert`. Replies:
-- stale    another writer came first: the record, the template or the revision changed; the caller reads again
-- taken    another endpoint has that name          unknown  a resource that it names does not exist
-- full     its owner has reached the limit         stored
-- `revision` grows with each write of an endpoint or a resource, so a decision on all of them is refused if any of them changed.
if (call('HGET', records, id) or '') ~= before then return 'stale' end
if template ~= '' and (call('HGET', templates, template) or '') ~= templateText then return 'stale' end
for at, kind in ipairs(needKinds) do
  if call('HEXISTS', HASHES[kind], needFields[at]) == 0 then return 'unknown' end
end
local owner = call('HGET', names, newName)
if owner and owner ~= id then return 'taken' end
if expectedRevision ~= '' and (call('GET', revision) or '0') ~= expectedRevision then return 'stale' end
if before == '' and mostPerOwner > 0 then
  local count = 0
  for _, name in ipairs(call('HKEYS', names)) do
    if string.sub(name, 1, #namesBegin) == namesBegin then count = count + 1 end
  end
  if count >= mostPerOwner then return 'full' end
end
if oldName ~= '' then call('HDEL', names, oldName) end
if oldBound ~= '' then call('HDEL', bound, oldBound) end
call('HSET', records, id, after)
call('HSET', names, newName, id)
call('HSET', bound, newBound, id)
call('SREM', deleted, id)
call('INCR', revision)
publish(changed)
return 'stored'
