-- Some of the listed jobs; the number of unlisted ones comes with the last of the listed.
local rows = call('LPOP', EXPIRED, limit) or {}
if call('EXISTS', EXPIRED) == 1 then return { rows, 0 } end
local unlisted = call('HGET', COUNTERS, 'expiredUnlisted') or 0
call('HDEL', COUNTERS, 'expiredUnlisted')
return { rows, tonumber(unlisted) }
