-- A card of a worker that may have used it is in release until there is proof that nothing of the worker is left.
for _, uuid in ipairs(uuids) do
  if call('HGET', cards, uuid) == holder then
    call('HDEL', cards, uuid)
    if claim ~= '' then
      local field = 'claim ' .. uuid
      local fresh, before = cjson.decode(claim), call('HGET', states, field)
      local quarantines = before and cjson.decode(before).quarantines
      -- An empty list would be written as an object.
      if quarantines and #quarantines > 0 then fresh.quarantines = quarantines end
      call('HSET', states, field, cjson.encode(fresh))
    end
  end
end
