-- Frees the cards, or parts of one, that the holder has. `claim` '': the worker never used them. Otherwise a card is in release until it is proven
-- that nothing of the worker is left on it, also while others have parts of it; a card in quarantine stays there. Called by `cards.giveBack` and
-- `cards.release`.
for _, uuid in ipairs(uuids) do
  local holders = holdersOf(call('HGET', cards, uuid))
  if holders[holder] then
    holders[holder] = nil
    if next(holders) == nil then
      call('HDEL', cards, uuid)
    else
      call('HSET', cards, uuid, cjson.encode(holders))
    end
    if claim ~= '' then
      local field = 'claim ' .. uuid
      local fresh, before = cjson.decode(claim), call('HGET', states, field)
      local old = before and cjson.decode(before) or {}
      if old.kind == 'quarantined' then
        -- Only what was seen after the worker's end proves something.
        old.since = fresh.since
        fresh = old
      elseif old.quarantines and #old.quarantines > 0 then
        -- An empty list would be written as an object.
        fresh.quarantines = old.quarantines
      end
      call('HSET', states, field, cjson.encode(fresh))
    end
  end
end
