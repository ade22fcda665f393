-- `had`: how many lines the reader has had, '' for the newest ones. A log that was started again is read from its start.
local ever, known = tonumber(call('HGET', count, 'ever') or '0'), tonumber(had)
if known == ever then return { ever, ever, {} } end
local kept = call('LLEN', lines)
local first = math.max(0, kept - most)
if known and known <= ever then first = math.max(0, kept - (ever - known)) end
return { ever, ever - kept + first, call('LRANGE', lines, first, first + most - 1) }
