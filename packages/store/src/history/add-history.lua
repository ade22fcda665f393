-- Adds a chunk to a kind, under its time where nothing later is there, and what the workers of its jobs have ended. It may replace an earlier chunk, whose
-- content it repeats. Returns its id. Called by `history`.
if call('EXISTS', streams[kind]) == 0 then call('HSET', bytes, kind, 0) end
if replaces ~= '' then
  local old = call('XRANGE', streams[kind], replaces, replaces)
  if old[1] then
    weighed(kind, -(#old[1][2][2] + ENTRY_BYTES))
    call('XDEL', streams[kind], replaces)
  end
end
local added = redis.pcall('XADD', streams[kind], string.format('%.0f', at) .. '-*', 'c', chunk)
if type(added) == 'table' and added.err then added = call('XADD', streams[kind], '*', 'c', chunk) end
weighed(kind, #chunk + ENTRY_BYTES)
for index = 1, #ended, 3 do
  call('HINCRBY', counts, ended[index], ended[index + 1])
  if ended[index + 2] ~= '0' then call('HINCRBY', counts, ended[index] .. ' failed', ended[index + 2]) end
end
local lists = { kinds = kinds, shares = shares, keepMs = keepMs }
call('PEXPIRE', streams[kind], string.format('%.0f', keptFor(kind, lists) * 2))
call('PEXPIRE', bytes, bounds.expireMs)
if #ended > 0 then call('PEXPIRE', counts, bounds.expireMs) end
trimHistory(kind, bounds, lists)
return added
