// How a job enters the queue.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

// Before every take BullMQ's script writes to a stream of events per queue that nobody reads here: it is kept short.
export const ENQUEUE = `${PRELUDE}
local function enqueueSubmitted()
  local id = ARGV[1]
  call('ZADD', q .. ':r:deadlines', ARGV[7], id)
  enqueueJob(id, { name = ARGV[2], data = ARGV[3], opts = ARGV[4], priority = ARGV[5], now = ARGV[6] })
  call('XTRIM', q .. ':events', 'MAXLEN', '~', 100)
  call('PUBLISH', ARGV[8], ARGV[9])
end
`

const ADMIT = `${ENQUEUE}
local refused = noRoomFor(1, weigh({ data = ARGV[3], opts = ARGV[4] }), ARGV[10], ARGV[11])
`

/** ARGV: job, name, data, options (JSON), priority, now, deadline, channel, addedSignal, most jobs and bytes in the queue → 'accepted' or why not */
export const SUBMIT: Script = {
  name: 'runyardSubmit',
  keys: 1,
  lua: `${ADMIT}
if refused then return refused end
enqueueSubmitted()
return 'accepted'
`,
}

/** Places of expired keys that one submit clears; more are passed over. */
const CLEARED_AT_ONCE = 100

/**
 * A key expires by itself. Beside it `r:once` (key → when it expires) counts how many there are.
 * ARGV: as `SUBMIT`, then hashed key, fingerprint of the request, windowMs, most keys
 * → 'accepted', why not, 'differs' (the key stands for another request) or the id of the job that the key stands for
 */
export const SUBMIT_ONCE: Script = {
  name: 'runyardSubmitOnce',
  keys: 1,
  lua: `${ADMIT}
local onceKey = q .. ':i:' .. ARGV[12]
local known = call('GET', onceKey)
if known then
  local job, fingerprint = string.match(known, '^(%S+) (%S+)$')
  return (fingerprint == ARGV[13] or fingerprint == '*') and job or 'differs'
end
if refused then return refused end
local once, now = q .. ':r:once', clock()
local expired = call('ZCOUNT', once, '-inf', now)
if call('ZCARD', once) - expired >= tonumber(ARGV[15]) then return 'keys_full' end
if expired > 0 then call('ZREMRANGEBYRANK', once, 0, math.min(expired, ${CLEARED_AT_ONCE}) - 1) end
call('ZADD', once, string.format('%.0f', now + ARGV[14]), ARGV[12])
if call('PTTL', once) < tonumber(ARGV[14]) then call('PEXPIRE', once, ARGV[14]) end
call('SET', onceKey, ARGV[1] .. ' ' .. ARGV[13], 'PX', ARGV[14])
enqueueSubmitted()
return 'accepted'
`,
}
