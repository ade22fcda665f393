-- Jobs whose ttl has passed end in whatever script notices it first, and no caller learns of it. So they are listed here in the same step, for the
-- journal (ADR 44). The list has the facts of the first so many; of more only the number is known.
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
