// What a worker writes of a job while it runs.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: worker, leaseMs, jobs… → ids that the worker does not hold; the leases of the others begin anew */
export const RENEW: Script = {
  name: 'runyardRenew',
  keys: 1,
  lua: `${PRELUDE}
local notHeld = {}
for at = 3, #ARGV do
  local id = ARGV[at]
  if holderOf(id) == ARGV[1] then
    call('SET', lockKey(id), ARGV[1], 'PX', ARGV[2])
  else
    notHeld[#notHeld + 1] = id
  end
end
return notHeld
`,
}

/** ARGV: job, worker, leaseMs, progress → SettleResult. A sign of life, so the lease is renewed. */
export const PROGRESS: Script = {
  name: 'runyardProgress',
  keys: 1,
  lua: `${PRELUDE}
local id = ARGV[1]
if isSettled(id) then return 'already_settled' end
if holderOf(id) ~= ARGV[2] then return 'not_holder' end
call('HSET', jobKey(id), 'progress', ARGV[4])
call('SET', lockKey(id), ARGV[2], 'PX', ARGV[3])
return 'settled'
`,
}

/** ARGV: job, worker, leaseMs, chunk, channel, signal → SettleResult */
export const APPEND_CHUNK: Script = {
  name: 'runyardAppendChunk',
  keys: 1,
  lua: `${PRELUDE}
local id = ARGV[1]
if isSettled(id) then return 'already_settled' end
if holderOf(id) ~= ARGV[2] then return 'not_holder' end
call('RPUSH', chunksKey(id), ARGV[4])
call('SET', lockKey(id), ARGV[2], 'PX', ARGV[3])
call('PUBLISH', ARGV[5], ARGV[6])
return 'settled'
`,
}
