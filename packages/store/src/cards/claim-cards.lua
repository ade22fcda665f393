-- Claims all of a worker's cards, or none. Returns the holders of the cards that are taken, without those whose claims are void; empty: claimed.
-- A card in release or quarantine has no holder and is not free: its own name is returned. Called by `cards.claim`.
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
