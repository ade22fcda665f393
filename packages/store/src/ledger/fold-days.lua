-- Moves days of deleted endpoints to the fields of their owners. Called by `ledger.tidy`.
for at, field in ipairs(from) do
  local known = call('HGET', days, field)
  if known then
    call('HDEL', days, field)
    addDay(days, to[at], string.match(known, '^(%d+) (%d+)$'))
  end
end
