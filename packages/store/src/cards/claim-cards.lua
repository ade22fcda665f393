-- Claims all of a worker's cards, or none. Returns the holders that stand in the way, without those whose claims are void; empty: claimed.
-- A card in release or quarantine is not free: its own name is returned. A worker that has its part of a card keeps it while another part is in
-- release. `budget` 0: the worker needs its cards alone. Called by `cards.claim`.
local isVoid, others, all = {}, {}, {}
local part = budget > 0
for _, other in ipairs(voidHolders) do isVoid[other] = true end
for _, uuid in ipairs(uuids) do
  local holders, staying, taken = holdersOf(call('HGET', cards, uuid)), {}, 0
  for other, bytes in pairs(holders) do
    if other ~= holder and not isVoid[other] then
      staying[other], taken = bytes, taken + bytes
    end
  end
  local hasRoom = next(staying) == nil
  if part then hasRoom = taken + budget <= capacity end
  if not hasRoom then
    for other in pairs(staying) do others[#others + 1] = other end
  end
  local claim = call('HGET', states, 'claim ' .. uuid)
  local kind = claim and cjson.decode(claim).kind or 'free'
  local keepsPart = part and holders[holder] and kind == 'releasing'
  if kind ~= 'free' and not keepsPart then others[#others + 1] = uuid end
  staying[holder] = budget
  all[uuid] = staying
end
if #others > 0 then return others end
for uuid, holders in pairs(all) do call('HSET', cards, uuid, part and cjson.encode(holders) or holder) end
return {}
