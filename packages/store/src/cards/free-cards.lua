-- Frees the cards that the holder has. `claim` '': the worker never used them. Otherwise a card is in release until it is proven that nothing
-- of the worker is left on it; a card in quarantine stays there. Called by `cards.giveBack` and `cards.release`.
for _, uuid in ipairs(uuids) do
  if call('HGET', cards, uuid) == holder then
    call('HDEL', cards, uuid)
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
