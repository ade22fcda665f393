-- A card of a worker that may have used it is in release until there is proof that nothing of the worker is left. One in quarantine stays there.
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
