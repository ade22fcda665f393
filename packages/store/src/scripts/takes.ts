// How a job leaves the queue for a worker. BullMQ's own step makes it active under its lock (ADR 1); around it, in the same script, stand the rules that it does
// not know: a job past its deadline is never started, and one that was lost together with others runs alone (ADR 34).
import { moveToActive } from 'bullmq/dist/esm/scripts/moveToActive-11.js'
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** Jobs past their deadline that one take ends, which bounds one script's work. */
const EXPIRED_AT_ONCE = 50

/** In the order in which BullMQ's script wants them; its parameters hide Redis' own KEYS and ARGV from it. */
const BULL_KEYS = ['wait', 'active', 'prioritized', 'events', 'stalled', 'limiter', 'delayed', 'paused', 'meta', 'pc', 'marker']

const BULL = `
local function moveToActive(KEYS, ARGV)
${moveToActive.content}
end
local function bullTake(worker, now, leaseMs)
  local keys = {}
  for at, name in ipairs({ '${BULL_KEYS.join("', '")}' }) do keys[at] = q .. ':' .. name end
  local options = cmsgpack.pack({ token = worker, name = worker, lockDuration = leaseMs })
  local id = moveToActive(keys, { q .. ':', now, options })[2]
  return id ~= 0 and id or nil
end
`

/**
 * ARGV: worker, now, leaseMs → { job, data, submittedAt, startedAt, attempts, options (JSON) }; nil where no job waits; 'not_now' where jobs wait
 * that are not for this worker at present; 'again' where more jobs are past their deadline than one script ends.
 */
export const TAKE: Script = {
  name: 'runyardTake',
  keys: 1,
  lua: `${PRELUDE}${BULL}
local worker, now, leaseMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function nextWaiting() return call('LINDEX', q .. ':wait', -1) or call('ZRANGE', q .. ':prioritized', 0, 0)[1] end

for _ = 1, ${EXPIRED_AT_ONCE} do
  local kind, suspect = allowance(worker)
  if kind == 'none' then return 'not_now' end
  local next = suspect or nextWaiting()
  if not next then return false end
  if isOverdue(next) then
    endIfOver(next)
  else
    if suspect then
      call('RPUSH', q .. ':wait', suspect)
      suspectRuns(suspect)
    end
    local id = bullTake(worker, now, leaseMs)
    if not id then return false end
    return { id, unpack(call('HMGET', jobKey(id), 'data', 'timestamp', 'processedOn', 'ats', 'opts')) }
  end
end
return 'again'
`,
}
