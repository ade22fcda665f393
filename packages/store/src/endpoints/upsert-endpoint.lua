-- 'stale': another writer came first. 'taken': another endpoint has that name. 'unregistered': there is no such registry. 'full': its owner has as many
-- endpoints as it may have. Empty texts are conditions that are not asked for. `revision` grows with each write of an endpoint, template or registry, so
-- that a decision on all of them is refused when any changed meanwhile.
if (call('HGET', records, id) or '') ~= before then return 'stale' end
if template ~= '' and (call('HGET', templates, template) or '') ~= templateText then return 'stale' end
if registry ~= '' and call('HEXISTS', registries, registry) == 0 then return 'unregistered' end
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
