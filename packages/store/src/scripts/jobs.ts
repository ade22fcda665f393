// What may happen to a job, each as one atomic script. BullMQ's own scripts add a job, make it active under its lock and extend the
// lock; from there on these here end it or put it back, so that there is no half-way state between outcome and queue.
// KEYS[1] is the endpoint's base key; all other keys derive from it and share its hash tag.
// Invariants: a settled hash is written once and never changed; whoever writes as a worker must hold the lock; a job that has
// an outcome is in none of BullMQ's structures.
import type { Script } from './script.ts'

const PRELUDE = `
local q = KEYS[1]
local call = redis.call
local function jobKey(id) return q .. ':' .. id end
local function lockKey(id) return q .. ':' .. id .. ':lock' end
local function settledKey(id) return q .. ':s:' .. id end
local function chunksKey(id) return q .. ':c:' .. id end
local function workerKey(id) return q .. ':w:' .. id end

local function isSettled(id) return call('EXISTS', settledKey(id)) == 1 end

-- Removes every trace of a live job from BullMQ's structures. A leased job is in 'active', so the long lists are left alone for it.
local function dropJob(id)
  if call('LREM', q .. ':active', -1, id) == 0 and call('LREM', q .. ':wait', 1, id) == 0 then
    call('ZREM', q .. ':prioritized', id)
  end
  call('SREM', q .. ':stalled', id)
  call('DEL', jobKey(id), lockKey(id))
  call('ZREM', q .. ':r:deadlines', id)
end

-- As BullMQ's moveJobFromActiveToWait: to the front of its own kind (priority 0 = the plain list).
local function requeueJob(id)
  if call('LREM', q .. ':active', -1, id) == 0 then return false end
  call('DEL', lockKey(id))
  call('SREM', q .. ':stalled', id)
  call('HDEL', jobKey(id), 'progress')
  local priority = tonumber(call('HGET', jobKey(id), 'priority') or '0')
  if priority > 0 then
    call('ZADD', q .. ':prioritized', priority * 0x100000000, id)
  else
    call('RPUSH', q .. ':wait', id)
  end
  return true
end

local function countOutcome(status)
  if status == 'COMPLETED' then call('HINCRBY', q .. ':r:counters', 'completed', 1) end
  if status == 'FAILED' or status == 'TIMED_OUT' then call('HINCRBY', q .. ':r:counters', 'failed', 1) end
end

local function markWorker(id, now)
  if id and id ~= '' and call('EXISTS', workerKey(id)) == 1 then call('HSET', workerKey(id), 'lastJobEndedAt', now) end
end

-- end_ = { now, status, outcome (JSON), asyncMs, syncMs }. False for a job that does not exist.
local function settleJob(id, worker, end_)
  local job = call('HMGET', jobKey(id), 'name', 'timestamp', 'processedOn', 'ats')
  if not job[2] then return false end
  local fields = { 'submittedAt', job[2], 'settledAt', end_.now, 'attempts', job[4] or '0', 'workerId', worker or '', 'outcome', end_.outcome }
  if job[3] then
    fields[#fields + 1] = 'startedAt'
    fields[#fields + 1] = job[3]
  end
  call('HSET', settledKey(id), unpack(fields))
  local ttl = job[1] == 'sync' and end_.syncMs or end_.asyncMs
  call('PEXPIRE', settledKey(id), ttl)
  call('PEXPIRE', chunksKey(id), ttl)
  countOutcome(end_.status)
  markWorker(worker, end_.now)
  dropJob(id)
  return true
end

local function readRecord(id)
  local s = call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'outcome')
  if s[1] then return { 'settled', s[1], s[2], s[3], s[4], s[5], s[6] } end
  local j = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'progress')
  if not j[1] then return false end
  return { 'live', j[1], j[2], j[3], j[4], call('GET', lockKey(id)) }
end
`

/** ARGV: job, worker, now, status, outcome, asyncMs, syncMs, channel, signal → SettleResult */
export const SETTLE: Script = {
  name: 'runyardSettle',
  keys: 1,
  lua: `${PRELUDE}
local id, worker = ARGV[1], ARGV[2]
local isHolder = call('GET', lockKey(id)) == worker
if isSettled(id) then
  if isHolder then dropJob(id) end
  return 'already_settled'
end
if not isHolder then return 'not_holder' end
if not settleJob(id, worker, { now = ARGV[3], status = ARGV[4], outcome = ARGV[5], asyncMs = ARGV[6], syncMs = ARGV[7] }) then
  return 'not_holder'
end
call('PUBLISH', ARGV[8], ARGV[9])
return 'settled'
`,
}

/** ARGV: job, now, status, outcome, asyncMs, syncMs, channel, signal → { result, holder or '', record } */
export const FORCE_SETTLE: Script = {
  name: 'runyardForceSettle',
  keys: 1,
  lua: `${PRELUDE}
local id = ARGV[1]
if isSettled(id) then
  if call('EXISTS', jobKey(id)) == 1 then dropJob(id) end
  return { 'already_settled', '', readRecord(id) }
end
local holder = call('GET', lockKey(id)) or ''
if not settleJob(id, holder, { now = ARGV[2], status = ARGV[3], outcome = ARGV[4], asyncMs = ARGV[5], syncMs = ARGV[6] }) then
  return { 'unknown', '', false }
end
call('PUBLISH', ARGV[7], ARGV[8])
return { 'settled', holder, readRecord(id) }
`,
}

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

/** ARGV: job, worker, leaseMs, progress → SettleResult. A sign of life, so the lease is renewed. */
export const PROGRESS: Script = {
  name: 'runyardProgress',
  keys: 1,
  lua: `${PRELUDE}
local id = ARGV[1]
if isSettled(id) then return 'already_settled' end
if call('GET', lockKey(id)) ~= ARGV[2] then return 'not_holder' end
call('HSET', jobKey(id), 'progress', ARGV[4])
call('PEXPIRE', lockKey(id), ARGV[3])
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
if call('GET', lockKey(id)) ~= ARGV[2] then return 'not_holder' end
call('RPUSH', chunksKey(id), ARGV[4])
call('PEXPIRE', lockKey(id), ARGV[3])
call('PUBLISH', ARGV[5], ARGV[6])
return 'settled'
`,
}

/** ARGV: job → record or nil */
export const READ: Script = { name: 'runyardRead', keys: 1, lua: `${PRELUDE}\nreturn readRecord(ARGV[1])\n` }

/** ARGV: job, limit → { record, chunks, remaining } or nil; the chunks are gone afterwards */
export const READ_STREAM: Script = {
  name: 'runyardReadStream',
  keys: 1,
  lua: `${PRELUDE}
local id, limit = ARGV[1], tonumber(ARGV[2])
local record = readRecord(id)
if not record then return false end
local chunks = {}
if limit > 0 then
  chunks = call('LRANGE', chunksKey(id), 0, limit - 1)
  if #chunks > 0 then call('LTRIM', chunksKey(id), #chunks, -1) end
end
return { record, chunks, call('LLEN', chunksKey(id)) }
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

/** → rows of { job, holder, submittedAt, startedAt, attempts, options (JSON) }. Leftovers without a job are swept up on the way. */
export const LEASES: Script = {
  name: 'runyardLeases',
  keys: 1,
  lua: `${PRELUDE}
local leases = {}
for _, id in ipairs(call('LRANGE', q .. ':active', 0, -1)) do
  local job = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'opts')
  if not job[1] or isSettled(id) then
    dropJob(id)
  else
    leases[#leases + 1] = { id, call('GET', lockKey(id)), job[1], job[2], job[3], job[4] }
  end
end
return leases
`,
}

/** → { waitingNormal, waitingLow, active, oldest normal, oldest low, completed, failed, retried } */
export const STATS: Script = {
  name: 'runyardStats',
  keys: 1,
  lua: `${PRELUDE}
-- A nil would cut the answer short, false does not.
local function submittedAt(id) return id and call('HGET', jobKey(id), 'timestamp') or false end
local low = call('ZRANGE', q .. ':prioritized', 0, 0)
local counters = call('HMGET', q .. ':r:counters', 'completed', 'failed', 'retried')
return {
  call('LLEN', q .. ':wait'), call('ZCARD', q .. ':prioritized'), call('LLEN', q .. ':active'),
  submittedAt(call('LINDEX', q .. ':wait', -1)), submittedAt(low[1]), counters[1], counters[2], counters[3],
}
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
