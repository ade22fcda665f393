-- All cards or none. Returns those who hold one of them, but for holders whose claims are void.
local isVoid, others = {}, {}
for _, other in ipairs(voidHolders) do isVoid[other] = true end
for _, uuid in ipairs(uuids) do
  local other = call('HGET', cards, uuid)
  if other and other ~= holder and not isVoid[other] then others[#others + 1] = other end
end
if #others > 0 then return others end
for _, uuid in ipairs(uuids) do call('HSET', cards, uuid, holder) end
return {}
