// How a job goes back to the queue: from its worker, or, by its caller's wish, from its end.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/**
 * ARGV: job, worker ('' = must be expired), budget, evidence, end (8; the outcome is made here), channel, settledSignal, addedSignal, '1' where
 * all that the worker held was lost with it
 * → 'requeued', 'failed' (the budget was spent) or 'moot'. An expired lease is anybody's to take back, and its last holder is then replaced; one
 * that somebody else holds is not.
 */
export const TAKE_BACK: Script = {
  name: 'runyardTakeBack',
  keys: 1,
  lua: `${PRELUDE}
-- Nobody saw the last holder die, so it may ask for jobs, and its token must not become valid a second time (ADR 1): every gateway hears that it
-- is to be replaced before it hears of the job.
local function replaceHolder(id, channel)
  local worker = call('HGET', jobKey(id), 'pb')
  if not worker or call('EXISTS', workerKey(worker)) == 0 then return end
  call('HSET', workerKey(worker), 'refreshRequested', 'true')
  local changed = { kind = 'worker-changed', endpointId = string.match(q, '{(.*)}$'), workerId = worker }
  call('PUBLISH', channel, cjson.encode({ origin = '', signal = changed }))
end
local id, worker = ARGV[1], ARGV[2]
local attempts = tonumber(call('HGET', jobKey(id), 'ats') or '0')
if isSettled(id) or call('EXISTS', jobKey(id)) == 0 then
  dropJob(id)
  return 'moot'
end
local holder = call('GET', lockKey(id))
if holder and holder ~= worker then return 'moot' end
if not call('LPOS', q .. ':active', id) then return 'moot' end
if ARGV[16] == '1' then suspectAll(call('HGET', jobKey(id), 'pb'), worker == '') end
if worker == '' then replaceHolder(id, ARGV[13]) end
if attempts > tonumber(ARGV[3]) then
  local times = attempts == 1 and 'once' or (attempts .. ' times')
  local end_ = readEnd(5)
  -- Begins as Runpod's own sentence, which clients know (client-api §4.4).
  local error = 'job timed out after ' .. (attempts - 1) .. ' retries: worker lost ' .. times .. ': ' .. ARGV[4]
  end_.outcome = cjson.encode({ status = end_.status, error = error })
  settleJob(id, worker, end_)
  call('PUBLISH', ARGV[13], ARGV[14])
  return 'failed'
end
requeueJob(id)
-- The next attempt streams from its beginning: chunks of this one that nobody has read yet would be told twice.
call('DEL', chunksKey(id))
releaseUnread(id, math.huge)
call('HINCRBY', q .. ':r:counters', 'retried', 1)
call('PUBLISH', ARGV[13], ARGV[15])
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

/**
 * ARGV: job, now, ttlMs where its policy names none, channel, addedSignal, most jobs and bytes in the queue → 'retried', 'unknown', 'gone' (its
 * submission is not kept), why the queue has no room, or the status that forbids it. A new life under the same id: who held it in an earlier one may
 * still report that one's result, and its lock's token would be the same, so it is noted in `notFor` and never given the job again.
 */
export const RETRY: Script = {
  name: 'runyardRetry',
  keys: 1,
  lua: `${PRELUDE}
local id, now = ARGV[1], ARGV[2]
endIfOver(id)
local old = call('HMGET', settledKey(id), 'status', 'name', 'data', 'opts', 'priority', 'pb')
if not old[1] then
  if call('EXISTS', jobKey(id)) == 0 then return 'unknown' end
  return call('EXISTS', lockKey(id)) == 1 and 'IN_PROGRESS' or 'IN_QUEUE'
end
if old[1] ~= 'FAILED' and old[1] ~= 'TIMED_OUT' then return old[1] end
if not old[3] or old[3] == '' then return 'gone' end
local refused = noRoomFor(1, weigh({ data = old[3], opts = old[4] }), ARGV[6], ARGV[7])
if refused then return refused end
local opts = cjson.decode(old[4])
if old[6] and old[6] ~= '' then
  opts.notFor = opts.notFor or {}
  opts.notFor[#opts.notFor + 1] = old[6]
end
unregister(id)
dropJob(id)
call('DEL', settledKey(id), chunksKey(id))
call('ZADD', DEADLINES, string.format('%.0f', now + (opts.ttlMs or ARGV[3])), id)
enqueueJob(id, { name = old[2], data = old[3], opts = cjson.encode(opts), now = now, priority = old[5] })
call('PUBLISH', ARGV[4], ARGV[5])
return 'retried'
`,
}
