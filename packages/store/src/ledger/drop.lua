-- Removes open intervals that are still as they were read, and replies with their number. Called by `ledger.tidy`.
local dropped = 0
for at, worker in ipairs(workers) do
  if call('HGET', open, worker) == texts[at] then dropped = dropped + call('HDEL', open, worker) end
end
return dropped
