for _, uuid in ipairs(uuids) do
  if call('HGET', cards, uuid) == holder then call('HDEL', cards, uuid) end
end
