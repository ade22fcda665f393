-- Begins an interval of a worker's state. The open one ends where the new one begins; the same state again changes nothing. An interval is in one
-- place at any time: open, a row, or added up in its days (ADR 43). Called by `ledger.transition`.
local begun = cjson.decode(row)
local start, before = at, call('HGET', open, worker)
if before then
  local ended = cjson.decode(before)
  if ended.state == begun.state then return end
  start = math.max(at, ended.from)
  closeInterval(ended, start)
end
-- Callers give host, cards, key and reason of the first interval only.
if before then
  for _, name in ipairs({ 'hostId', 'cards', 'keyId', 'reason' }) do
    if begun[name] == nil then begun[name] = cjson.decode(before)[name] end
  end
end
begun.from = start
call('HSET', open, worker, cjson.encode(begun))
