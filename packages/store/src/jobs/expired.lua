-- Lists the jobs that expired, for the journal of job ends (ADR 44): they end in whatever script notices it first, and no caller learns of it.
-- The list holds the facts of the first MOST_LISTED; of further ones only the number is known. `take-expired.lua` reads it.
-- r:expired (job, submittedAt, startedAt, when it ended, attempts, holder; as JSON)   r:counters expiredUnlisted
local MOST_LISTED = 1000

local function listExpired(id, holder, at)
  if call('LLEN', EXPIRED) >= MOST_LISTED then
    call('HINCRBY', COUNTERS, 'expiredUnlisted', 1)
    return
  end
  local job = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats')
  local row = { id, job[1] or at, job[2] or cjson.null, at, job[3] or '0', holder or cjson.null }
  call('RPUSH', EXPIRED, cjson.encode(row))
end
