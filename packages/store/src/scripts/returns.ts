// How a job that was handed out goes back to the queue.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/**
 * ARGV: job, worker ('' = must be expired), now, budget, evidence, asyncMs, syncMs, channel, settledSignal, addedSignal.
 * An expired lease is anybody's to take back; a lease that somebody else holds is not.
 */
export const TAKE_BACK: Script = {
  name: 'runyardTakeBack',
  keys: 1,
  lua: `${PRELUDE}
local id, worker = ARGV[1], ARGV[2]
local attempts = tonumber(call('HGET', jobKey(id), 'ats') or '0')
if isSettled(id) or call('EXISTS', jobKey(id)) == 0 then
  dropJob(id)
  return 'moot'
end
local holder = call('GET', lockKey(id))
if holder and holder ~= worker then return 'moot' end
if not call('LPOS', q .. ':active', id) then return 'moot' end
if attempts > tonumber(ARGV[4]) then
  local times = attempts == 1 and 'once' or (attempts .. ' times')
  local outcome = cjson.encode({ status = 'FAILED', error = 'worker lost ' .. times .. ': ' .. ARGV[5] })
  settleJob(id, worker, { now = ARGV[3], status = 'FAILED', outcome = outcome, asyncMs = ARGV[6], syncMs = ARGV[7] })
  call('PUBLISH', ARGV[8], ARGV[9])
  return 'failed'
end
requeueJob(id)
-- The next attempt streams from its beginning: chunks of this one that nobody has read yet would be told twice.
call('DEL', chunksKey(id))
call('HINCRBY', q .. ':r:counters', 'retried', 1)
call('PUBLISH', ARGV[8], ARGV[10])
return 'requeued'
`,
}

/** ARGV: job, worker, channel, addedSignal → 1 if it went back. Nothing was run, so this attempt is not counted. */
export const GIVE_BACK: Script = {
  name: 'runyardGiveBack',
  keys: 1,
  lua: `${PRELUDE}
local id = ARGV[1]
if call('GET', lockKey(id)) ~= ARGV[2] or not requeueJob(id) then return 0 end
call('HINCRBY', jobKey(id), 'ats', -1)
call('PUBLISH', ARGV[3], ARGV[4])
return 1
`,
}
