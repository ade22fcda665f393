-- Writes the ends of up to `limit` purged jobs, oldest first. Replies with 1 where all have one, 0: call again; and with the jobs, each once, also those
-- whose end was written before by a script that asked about them. Called by `jobs.endPurged`.
local number = call('HKEYS', PURGES)[1]
if not number then return { 1, {} } end
local wait, low = purgedWaitKey(number), purgedLowKey(number)
local ids = call('LRANGE', wait, -limit, -1)
if #ids > 0 then call('LTRIM', wait, 0, -#ids - 1) end
for at, member in ipairs(#ids < limit and call('ZPOPMIN', low, limit - #ids) or {}) do
  if at % 2 == 1 then ids[#ids + 1] = member end
end
local ending = cjson.decode(call('HGET', PURGES, number))
endPurged(ids, ending)
if call('EXISTS', wait, low) == 0 then call('HDEL', PURGES, number) end
local rows = {}
for at, id in ipairs(ids) do
  local job = call('HMGET', settledKey(id), 'submittedAt', 'attempts')
  rows[at] = { id, job[1] or ending.now, job[2] or '0', ending.now }
end
return { call('EXISTS', PURGES) == 0 and 1 or 0, rows }
