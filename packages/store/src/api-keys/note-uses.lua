-- Records when API keys were last used; times never go back. Keys that were removed meanwhile get no time. Called by `createKeyUses`.
for index, id in ipairs(ids) do
  if call('HEXISTS', records, id) == 1 then
    local before = tonumber(call('HGET', uses, id) or 0)
    if tonumber(times[index]) > before then call('HSET', uses, id, times[index]) end
  end
end
