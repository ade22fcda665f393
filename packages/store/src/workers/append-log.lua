-- Appends lines to a worker's log: a list of its newest lines, and beside it how many there ever were and how many bytes are kept. So a reader asks
-- only for new lines, and the list is bounded by lines and bytes. A client that follows a log leaves a mark that expires; only then are lines
-- announced (1). Called by `workerLogs.append`.
if call('EXISTS', lines) == 0 then call('HDEL', count, 'bytes') end
local bytes = tonumber(call('HGET', count, 'bytes') or '0')
for _, line in ipairs(added) do
  call('RPUSH', lines, line)
  bytes = bytes + #line
end
call('HINCRBY', count, 'ever', #added)
local kept = call('LLEN', lines)
while kept > mostLines or (bytes > mostBytes and kept > 1) do
  bytes = bytes - #call('LPOP', lines)
  kept = kept - 1
end
call('HSET', count, 'bytes', bytes)
call('EXPIRE', lines, keepS)
call('EXPIRE', count, keepS)
if call('EXISTS', followed) == 0 then return 0 end
publish(logged)
return 1
