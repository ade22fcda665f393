-- Removes up to `limit` listed expired jobs and replies with them; the number of unlisted ones comes with the last part.
-- Called by `jobs.takeExpired`.
local rows = call('LPOP', EXPIRED, limit) or {}
if call('EXISTS', EXPIRED) == 1 then return { rows, 0 } end
local unlisted = call('HGET', COUNTERS, 'expiredUnlisted') or 0
call('HDEL', COUNTERS, 'expiredUnlisted')
return { rows, tonumber(unlisted) }
