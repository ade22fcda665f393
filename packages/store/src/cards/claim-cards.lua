-- All cards or none. Returns those who hold one of them, but for holders whose claims are void. A card in release or in quarantine has no holder
-- and is not free either; its own name stands for the holder.
local isVoid, others = {}, {}
for _, other in ipairs(voidHolders) do isVoid[other] = true end
for _, uuid in ipairs(uuids) do
  local other = call('HGET', cards, uuid)
  if other and other ~= holder and not isVoid[other] then others[#others + 1] = other end
  local claim = call('HGET', states, 'claim ' .. uuid)
  if claim and cjson.decode(claim).kind ~= 'free' then others[#others + 1] = uuid end
end
if #others > 0 then return others end
for _, uuid in ipairs(uuids) do call('HSET', cards, uuid, holder) end
return {}
