-- Submits a job under an idempotency key. `accepted`; `repeated` with the id of the first job; `differs`: another request had the key; or the
-- reason of a refusal. A key expires by itself; ONCE (key → when it expires) counts how many there are. Called by `jobs.submitOnce`.

-- Expired keys that one submit removes from ONCE.
local CLEARED_AT_ONCE = 100

local refused, purges = noRoomFor(1, weigh(job), queueJobs, queueBytes)
local known = call('GET', onceKey(key))
if known then
  local first, itsFingerprint = string.match(known, '^(%S+) (%S+)$')
  if itsFingerprint == fingerprint or itsFingerprint == '*' then return { 'repeated', first } end
  return 'differs'
end
if refused then return refused end
if isKeyFull(job.key, 1, keyJobs) then return 'key_full' end
local now = clock()
local expired = call('ZCOUNT', ONCE, '-inf', now)
if call('ZCARD', ONCE) - expired >= mostKeys then return 'keys_full' end
if expired > 0 then call('ZREMRANGEBYRANK', ONCE, 0, math.min(expired, CLEARED_AT_ONCE) - 1) end
call('ZADD', ONCE, string.format('%.0f', now + windowMs), key)
if call('PTTL', ONCE) < windowMs then call('PEXPIRE', ONCE, windowMs) end
call('SET', onceKey(key), job.id .. ' ' .. fingerprint, 'PX', windowMs)
submitJob(job, purges)
publish(added)
return 'accepted'
