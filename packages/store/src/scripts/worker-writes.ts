// What a worker writes of a job while it runs.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'
import { READ_LEASES } from './sweeps.ts'

/** Arguments from 'at' on are jobs. The ttl counts for running jobs too (client-api §6): a job past it is ended here, not renewed. */
const RENEW_NAMED = `
local function renewNamed(worker, leaseMs, at)
  local notHeld = {}
  for index = at, #ARGV do
    local id = ARGV[index]
    endIfOver(id)
    if holderOf(id) == worker then
      call('SET', lockKey(id), worker, 'PX', leaseMs)
    else
      notHeld[#notHeld + 1] = id
    end
  end
  return notHeld
end
`

/** ARGV: worker, leaseMs, jobs… → ids that the worker does not hold; the leases of the others begin anew */
export const RENEW: Script = {
  name: 'runyardRenew',
  keys: 1,
  lua: `${PRELUDE}${RENEW_NAMED}\nreturn renewNamed(ARGV[1], ARGV[2], 3)\n`,
}

/**
 * ARGV: worker, leaseMs, now, '1' if the endpoint's leases are asked for, jobs… → { ids as `RENEW` answers them, leases or nil }. An unknown
 * worker stays unknown.
 */
export const HEARTBEAT: Script = {
  name: 'runyardHeartbeat',
  keys: 1,
  lua: `${READ_LEASES}${RENEW_NAMED}
if call('EXISTS', workerKey(ARGV[1])) == 1 then call('HSET', workerKey(ARGV[1]), 'lastSeenAt', ARGV[3]) end
local notHeld = renewNamed(ARGV[1], ARGV[2], 5)
return { notHeld, ARGV[4] == '1' and readLeases() }
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

/** Eight names of 36 letters. */
const POSTS_CHARACTERS = 7 * 37

/**
 * ARGV: job, worker, leaseMs, chunk, channel, signal, post, its bytes, most bytes of a job, most unread bytes of an endpoint → SettleResult, 'too_much',
 * 'no_room' or 'repeated'. A post whose answer was lost comes again and is known by its name; a worker posts one chunk after the other, so the last few
 * are enough to remember.
 */
export const APPEND_CHUNK: Script = {
  name: 'runyardAppendChunk',
  keys: 1,
  lua: `${PRELUDE}
local id, post = ARGV[1], ARGV[7] .. ' '
if isSettled(id) then return 'already_settled' end
if holderOf(id) ~= ARGV[2] then return 'not_holder' end
call('SET', lockKey(id), ARGV[2], 'PX', ARGV[3])
local posts = call('HGET', jobKey(id), 'posts') or ''
if posts:find(post, 1, true) then return 'repeated' end
if call('HINCRBY', jobKey(id), 'streamed', ARGV[8]) > tonumber(ARGV[9]) then return 'too_much' end
if not addChunkWeight(id, weighChunk(#ARGV[4]), ARGV[10]) then return 'no_room' end
call('RPUSH', chunksKey(id), ARGV[4])
call('HSET', jobKey(id), 'posts', post .. posts:sub(1, ${POSTS_CHARACTERS}))
call('PUBLISH', ARGV[5], ARGV[6])
return 'settled'
`,
}
