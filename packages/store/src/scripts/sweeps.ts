// What the periodic sweeps see and remove, and how long a result is kept.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** Rows of { job, holder, submittedAt, startedAt, attempts, options (JSON), last holder, ms until the lease runs out }. Leftovers without a job are swept up on the way. */
export const READ_LEASES = `${PRELUDE}
local function readLeases()
  local leases = {}
  for _, id in ipairs(call('LRANGE', q .. ':active', 0, -1)) do
    local isEnded = isSettled(id)
    local job = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'opts', 'pb')
    if not job[1] or isEnded then
      dropJob(id)
    else
      leases[#leases + 1] = { id, call('GET', lockKey(id)), job[1], job[2], job[3], job[4], job[5], call('PTTL', lockKey(id)) }
    end
  end
  return leases
end
`

/** → rows as `READ_LEASES` makes them */
export const LEASES: Script = { name: 'runyardLeases', keys: 1, lua: `${READ_LEASES}\nreturn readLeases()\n` }

/** ARGV: limit, end (8; what their webhooks deliver) → jobs; in whatever live state they were, they are gone afterwards (client-api §4.4) */
export const SWEEP_EXPIRED: Script = {
  name: 'runyardSweepExpired',
  keys: 1,
  lua: `${PRELUDE}
local swept, end_ = {}, readEnd(2)
local now = end_.now
for _, id in ipairs(call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, ARGV[1])) do
  endIfPurged(id)
  if call('EXISTS', settledKey(id)) == 0 then swept[#swept + 1] = id end
  expireJob(id, end_)
end
return swept
`,
}

/** ARGV: limit → { up to so many of the listed jobs (JSON), how many the list had no room for, where it is empty now } */
export const TAKE_EXPIRED: Script = {
  name: 'runyardTakeExpired',
  keys: 1,
  lua: `${PRELUDE}
local rows = call('LPOP', EXPIRED, ARGV[1]) or {}
if call('EXISTS', EXPIRED) == 1 then return { rows, 0 } end
local unlisted = call('HGET', q .. ':r:counters', 'expiredUnlisted') or 0
call('HDEL', q .. ':r:counters', 'expiredUnlisted')
return { rows, tonumber(unlisted) }
`,
}

/** ARGV: job, ttlMs, now → 1 if there is a settled record. */
export const SET_RETENTION: Script = {
  name: 'runyardSetRetention',
  keys: 1,
  lua: `${PRELUDE}
if not isSettled(ARGV[1]) then return 0 end
keepFor(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))
return 1
`,
}

/** ARGV: now, limit, keepBytes → 1, or 0 where more is to be done. Brings the register of ended jobs up to date. */
export const SWEEP_REGISTER: Script = {
  name: 'runyardSweepRegister',
  keys: 1,
  lua: `${PRELUDE}
local now, limit = ARGV[1], tonumber(ARGV[2])
releaseExpiredDrafts()
-- What no live job and no draft accounts for was left by a version that did not count.
if call('EXISTS', DEADLINES, DRAFTS) == 0 then call('HDEL', q .. ':r:counters', 'queueBytes', 'unreadBytes') end
local touched = math.max(dropExpired('async', now, limit), dropExpired('sync', now, limit), forgetGone(now, limit))
return makeRoom(tonumber(ARGV[3]), nil, now) and touched < limit and 1 or 0
`,
}

/** ARGV: job → { status, end, expiry, why } of an ended job whose result is gone, or nil */
export const WHY_GONE: Script = {
  name: 'runyardWhyGone',
  keys: 1,
  lua: `${PRELUDE}
local entry = readEntry(ARGV[1])
return entry and { entry.status, entry.at, string.format('%.0f', entry.expiry), entry.why }
`,
}
