-- Writes the ends of up to `limit` purged jobs, oldest first. 1: all have one; 0: call again. Called by `jobs.endPurged`.
local number = call('HKEYS', PURGES)[1]
if not number then return 1 end
local wait, low = purgedWaitKey(number), purgedLowKey(number)
local ids = call('LRANGE', wait, -limit, -1)
if #ids > 0 then call('LTRIM', wait, 0, -#ids - 1) end
for at, member in ipairs(#ids < limit and call('ZPOPMIN', low, limit - #ids) or {}) do
  if at % 2 == 1 then ids[#ids + 1] = member end
end
endPurged(ids, cjson.decode(call('HGET', PURGES, number)))
if call('EXISTS', wait, low) == 0 then call('HDEL', PURGES, number) end
return call('EXISTS', PURGES) == 0 and 1 or 0
