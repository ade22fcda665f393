// What the periodic sweeps see and remove, and how long a result is kept.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** → rows of { job, holder, submittedAt, startedAt, attempts, options (JSON), last holder }. Leftovers without a job are swept up on the way. */
export const LEASES: Script = {
  name: 'runyardLeases',
  keys: 1,
  lua: `${PRELUDE}
local leases = {}
for _, id in ipairs(call('LRANGE', q .. ':active', 0, -1)) do
  local job = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'opts', 'pb')
  if not job[1] or isSettled(id) then
    dropJob(id)
  else
    leases[#leases + 1] = { id, call('GET', lockKey(id)), job[1], job[2], job[3], job[4], job[5] }
  end
end
return leases
`,
}

/** ARGV: now, limit → rows of { job, holder or '' }; expired jobs in any live state are gone afterwards (client-api §4.4) */
export const SWEEP_EXPIRED: Script = {
  name: 'runyardSweepExpired',
  keys: 1,
  lua: `${PRELUDE}
local swept = {}
for _, id in ipairs(call('ZRANGEBYSCORE', q .. ':r:deadlines', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local holder = call('GET', lockKey(id))
  markWorker(holder, ARGV[1])
  if not isSettled(id) then call('DEL', chunksKey(id)) end
  dropJob(id)
  swept[#swept + 1] = { id, holder or '' }
end
return swept
`,
}

/** ARGV: job, ttlMs → 1 if there is a settled record */
export const SET_RETENTION: Script = {
  name: 'runyardSetRetention',
  keys: 1,
  lua: `${PRELUDE}
if not isSettled(ARGV[1]) then return 0 end
call('PEXPIRE', chunksKey(ARGV[1]), ARGV[2])
return call('PEXPIRE', settledKey(ARGV[1]), ARGV[2])
`,
}
