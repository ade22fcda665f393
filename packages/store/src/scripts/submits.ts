// How a job that bears an idempotency key enters the queue: once. All others are added by BullMQ's own script.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/**
 * ARGV: hashed key, fingerprint of the request, windowMs, job, name, data, options (JSON), priority, now, deadline, channel, addedSignal
 * → 'accepted', 'differs' (the key stands for another request) or the id of the job that the key stands for
 */
export const SUBMIT_ONCE: Script = {
  name: 'runyardSubmitOnce',
  keys: 1,
  lua: `${PRELUDE}
local onceKey, id = q .. ':i:' .. ARGV[1], ARGV[4]
local known = call('GET', onceKey)
if known then
  local job, fingerprint = string.match(known, '^(%S+) (%S+)$')
  return fingerprint == ARGV[2] and job or 'differs'
end
call('SET', onceKey, id .. ' ' .. ARGV[2], 'PX', ARGV[3])
call('ZADD', q .. ':r:deadlines', ARGV[10], id)
enqueueJob(id, { name = ARGV[5], data = ARGV[6], opts = ARGV[7], priority = ARGV[8], now = ARGV[9] })
call('PUBLISH', ARGV[11], ARGV[12])
return 'accepted'
`,
}
