-- Gives a slot (a key file) its key. If the slot had another key, that key is removed, unless another slot has it, too.
-- 1: the slot has its key; 0: the key was revoked. Called by `keys.install`.
local known = call('HGET', hashes, hash)
if known and call('HEXISTS', records, known) == 0 then return 0 end
local before = call('HGET', slots, slot)
local id = known or newId
if before == id or (before and onlyIfAbsent) then return 1 end
call('HSET', hashes, hash, id)
if not known then call('HSET', records, id, record) end
call('HSET', slots, slot, id)
local others = {}
for _, other in ipairs(call('HVALS', slots)) do others[other] = true end
local stored = before and not others[before] and call('HGET', records, before)
if stored then
  call('HDEL', hashes, cjson.decode(stored).hash)
  call('HDEL', records, before)
  call('HDEL', uses, before)
end
publish(changed)
return 1
