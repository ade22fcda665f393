-- Reads a log: how many lines there ever were, the number of the first line, and the lines. `had`: how many lines the reader has had; '': the
-- newest are wanted. A log that was started again is read from its start. Called by `workerLogs.read` and `readAfter`.
local ever, known = tonumber(call('HGET', count, 'ever') or '0'), tonumber(had)
if known == ever then return { ever, ever, {} } end
local kept = call('LLEN', lines)
local first = math.max(0, kept - most)
if known and known <= ever then first = math.max(0, kept - (ever - known)) end
return { ever, ever - kept + first, call('LRANGE', lines, first, first + most - 1) }
