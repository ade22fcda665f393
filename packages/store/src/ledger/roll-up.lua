-- Adds old rows to their days and removes the rows. For each row: its text, and how many days it adds to; for each day: field, seconds and
-- GPU-seconds, row after row. A row that is gone was added before. Replies with the number of rows. Called by `ledger.tidy`.
local rolled, at = 0, 0
for index, text in ipairs(texts) do
  local isThere, count = call('ZREM', rows, text) == 1, tonumber(counts[index])
  if isThere then
    for day = at + 1, at + count do addDay(days, fields[day], seconds[day], gpuSeconds[day]) end
    rolled = rolled + 1
  end
  at = at + count
end
local before = tonumber(call('HGET', progress, 'until') or '0')
call('HSET', progress, 'until', string.format('%.0f', math.max(before, untilDay)))
call('HINCRBY', progress, 'moves', 1)
return rolled
