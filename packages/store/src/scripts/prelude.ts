// What all scripts on jobs share. BullMQ's own script makes a job active under its lock; ours add it, renew the lock, end the job or put
// it back, each as one atomic step, so that there is no half-way state between outcome and queue.
// KEYS[1] is the endpoint's base key; all other keys derive from it and share its hash tag.
// Invariants: a settled hash is written once and never changed; a write as a worker needs the lease; a job that has
// an outcome is in none of BullMQ's structures.
// Each statement begins at the margin, since a script gets only those that it uses; a function that rarely runs is marked (`used-parts.ts`).
import { EXPIRED } from './expired.ts'
import { OUTBOX } from './outbox.ts'
import { REGISTER } from './register.ts'
import { SUSPECTS } from './suspects.ts'
import { WEIGHTS } from './weights.ts'

/** How a job ends whose ttl is over, as its webhook delivers it. */
const TTL_OVER = JSON.stringify({ status: 'TIMED_OUT', error: 'the ttl of the job elapsed before it ended' })
const luaText = (text: string): string => `'${text}'`

export const PRELUDE = `
local q = KEYS[1]
local call = redis.call
local function jobKey(id) return q .. ':' .. id end
local function lockKey(id) return q .. ':' .. id .. ':lock' end
local function settledKey(id) return q .. ':s:' .. id end
local function chunksKey(id) return q .. ':c:' .. id end
local function workerKey(id) return q .. ':w:' .. id end
local DEADLINES = q .. ':r:deadlines'

-- The worker that has the lock; or whose lock has run out while no process has taken the job back ('pb' is BullMQ's mark of the last taker).
-- So a gateway or a Redis that was away for longer than a lease costs no finished work.
local function holderOf(id)
  local holder = call('GET', lockKey(id))
  if holder or not call('LPOS', q .. ':active', id) then return holder end
  return call('HGET', jobKey(id), 'pb')
end

-- Notifies every process. The name of the channel follows from the base key, as in keys.ts; no process is the origin, so all of them listen.
local function announce(signal)
  local prefix, endpoint = string.match(q, '^(.*):{(.*)}$')
  signal.endpointId = endpoint
  call('PUBLISH', prefix .. ':{@}:signals', cjson.encode({ origin = '', signal = signal }))
end
-- By the clock of Redis, which all processes share.
local function clock()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

${EXPIRED}
${OUTBOX}
${REGISTER}
${SUSPECTS}
${WEIGHTS}
-- Where LREM is to begin: a queue is left in the order in which it was entered, so a job's age says which end of a long list is nearer (-1: the
-- oldest). What expires is the oldest; from the other end, each of 100,000 would cost a walk past all that are younger.
local function nearerEnd(id)
  local function enteredAt(job) return tonumber(job and call('HGET', jobKey(job), 'timestamp') or 0) end
  local own = enteredAt(id)
  local sinceOldest = own - enteredAt(call('LINDEX', q .. ':wait', -1))
  return sinceOldest <= enteredAt(call('LINDEX', q .. ':wait', 0)) - own and -1 or 1
end

-- Removes every trace of a live job from the queue, and its weight (ADR 42). A leased job is in 'active', so the long list is left alone for it.
local function dropJob(id)
  local wasSuspect = forgetSuspect(id)
  if call('LREM', q .. ':active', -1, id) == 1 then
    wakeForSuspects(wasSuspect)
  elseif not wasSuspect and call('ZREM', q .. ':prioritized', id) == 0 then
    call('LREM', q .. ':wait', nearerEnd(id), id)
  end
  call('SREM', q .. ':stalled', id)
  releaseJob(id)
  call('DEL', jobKey(id), lockKey(id))
  call('ZREM', DEADLINES, id)
end

-- A job that comes into the queue notes the purges that it has not been part of (purges.ts).
local function noteQueued(id)
  local purges = call('HGET', q .. ':r:counters', 'purges')
  if purges then call('HSET', jobKey(id), 'purges', purges) end
end

-- As BullMQ's addStandardJob and addPrioritizedJob do.
local function enqueueJob(id, job)
  local weight = weigh(job)
  call('HSET', jobKey(id), 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.now, 'delay', 0, 'priority', job.priority, 'weight', weight)
  addWeight(weight)
  noteQueued(id)
  local priority = tonumber(job.priority)
  if priority > 0 then
    call('ZADD', q .. ':prioritized', priority * 0x100000000 + call('INCR', q .. ':pc') % 0x100000000, id)
  else
    call('LPUSH', q .. ':wait', id)
  end
end

-- As BullMQ's moveJobFromActiveToWait: to the front of its own kind (priority 0 = the plain list). A suspect waits among suspects.
local function requeueJob(id)
  if call('LREM', q .. ':active', -1, id) == 0 then return false end
  call('DEL', lockKey(id))
  call('SREM', q .. ':stalled', id)
  call('HDEL', jobKey(id), 'progress', 'streamed')
  noteQueued(id)
  local priority = tonumber(call('HGET', jobKey(id), 'priority') or '0')
  if isSuspect(id) then
    suspectWaits(id)
  elseif priority > 0 then
    call('ZADD', q .. ':prioritized', priority * 0x100000000, id)
  else
    call('RPUSH', q .. ':wait', id)
  end
  return true
end

-- Jobs whose ttl ended their life are counted by the sweep, as 'timedOut'.
local COUNTERS = { COMPLETED = 'completed', FAILED = 'failed', TIMED_OUT = 'failed', CANCELLED = 'cancelled' }
local function countOutcome(status, jobs)
  if COUNTERS[status] then call('HINCRBY', q .. ':r:counters', COUNTERS[status], jobs) end
end

local function markWorker(id, now)
  if id and id ~= '' and call('EXISTS', workerKey(id)) == 1 then call('HSET', workerKey(id), 'lastJobEndedAt', now) end
end

-- What a retry asks of an ended job's submission. Everything else is let go.
-- 'pb' is who took it last, also where the lease has run out.
local KEPT = { 'name', 'priority', 'opts', 'data', 'pb' }
local function isAskedFor(status)
  return status == 'FAILED' or status == 'TIMED_OUT'
end
local function addSubmission(fields, id)
  local bytes = 0
  for at, value in ipairs(call('HMGET', jobKey(id), unpack(KEPT))) do
    fields[#fields + 1] = KEPT[at]
    fields[#fields + 1] = value or ''
    bytes = bytes + #(value or '')
  end
  return bytes
end

-- How every end is given to a script: eight arguments from 'at' on.
local function readEnd(at)
  return {
    now = ARGV[at], status = ARGV[at + 1], outcome = ARGV[at + 2],
    asyncMs = ARGV[at + 3], syncMs = ARGV[at + 4], keepBytes = ARGV[at + 5],
    outboxEvents = ARGV[at + 6], outboxBytes = ARGV[at + 7],
  }
end

-- A settled record's life from now on. Its place in the register is that of its expiry.
local function keepFor(id, ttl, now) -- rare
  call('PEXPIRE', chunksKey(id), ttl)
  if call('PEXPIRE', settledKey(id), ttl) == 0 then return end
  local entry = readEntry(id)
  if not entry then return end
  local kind = call('ZSCORE', keptKey('sync'), id) and 'sync' or 'async'
  call('ZINCRBY', keptKey(kind), now + ttl - entry.expiry, id)
  entry.expiry = now + ttl
  writeEntry(id, entry)
end

-- Of a batch, whose results are read together and kept for longer.
local function keepWithBatch(id, opts, now)
  local keepMs = string.match(opts or '', '"keepMs":(%d+)')
  if keepMs then keepFor(id, tonumber(keepMs), tonumber(now)) end
end

local PURGES = q .. ':r:purges'
local function purgedKey(number, kind) return q .. ':r:purged:' .. number .. ':' .. kind end

-- Jobs of one purge; those that have ended already are passed over. A purge sends no webhooks (client-api §5.8). A job that was given back may
-- have chunks of an attempt that does not count any more.
local function endPurged(ids, end_) -- rare
  if #ids == 0 then return end
  local jobs, chunks, options, ended, count, weight, unread = {}, {}, {}, { async = {}, sync = {} }, 0, 0, 0
  for at, id in ipairs(ids) do
    jobs[at] = jobKey(id)
    local job = call('HMGET', jobs[at], 'name', 'timestamp', 'ats', 'opts', 'weight', 'unread')
    if job[2] then
      weight, unread = weight + (job[5] or 0), unread + (job[6] or 0)
      chunks[#chunks + 1] = chunksKey(id)
      local outcome = { 'settledAt', end_.now, 'status', end_.status, 'outcome', end_.outcome, 'workerId', '' }
      call('HSET', settledKey(id), 'submittedAt', job[2], 'attempts', job[3] or '0', unpack(outcome))
      call('PEXPIRE', settledKey(id), job[1] == 'sync' and end_.syncMs or end_.asyncMs)
      table.insert(ended[job[1]], id)
      count = count + 1
      options[id] = job[4]
    end
  end
  if count > 0 then
    countOutcome(end_.status, count)
    addWeight(-weight)
    if unread > 0 then call('HINCRBY', q .. ':r:counters', 'unreadBytes', -unread) end
    call('UNLINK', unpack(chunks))
  end
  for kind, some in pairs(ended) do registerEnds(some, kind, end_, #end_.outcome) end
  for id, opts in pairs(options) do keepWithBatch(id, opts, end_.now) end
  call('UNLINK', unpack(jobs))
  call('ZREM', DEADLINES, unpack(ids))
  call('ZREM', SUSPECTS, unpack(ids))
end

-- Nearly always there is no purge under way, and this is one look. A job that is held, or was until its lease ran out, was not in the queue.
local function endIfPurged(id)
  if call('EXISTS', PURGES) == 0 then return end
  local job = call('HMGET', jobKey(id), 'timestamp', 'purges')
  if not job[1] or holderOf(id) then return end
  local end_ = call('HGET', PURGES, (job[2] or 0) + 1)
  if end_ then endPurged({ id }, cjson.decode(end_)) end
end

-- A job whose ttl is over is gone, whatever its state (client-api §4.4). Its webhook delivers an end.
local function expireJob(id, end_) -- rare
  local isHeld = false
  if call('EXISTS', settledKey(id)) == 0 then
    local holder = holderOf(id)
    isHeld = holder ~= false and holder ~= nil
    markWorker(holder, end_.now)
    postWebhook(id, holder, end_, call('HGET', jobKey(id), 'opts'))
    call('DEL', chunksKey(id))
    writeEntry(id, { status = isHeld and 'IN_PROGRESS' or 'IN_QUEUE', at = end_.now, expiry = tonumber(end_.now), bytes = 0, why = 'ttl' })
    remember(id, tonumber(end_.now))
    call('HINCRBY', q .. ':r:counters', 'timedOut', 1)
    listExpired(id, holder, end_.now)
    announce({ kind = 'job-settled', jobId = id })
    if isHeld then announce({ kind = 'job-stop', jobId = id, workerId = holder }) end
  end
  dropJob(id)
end
local function ttlOver(now)
  return { now = string.format('%.0f', now), status = 'TIMED_OUT', outcome = ${luaText(TTL_OVER)} }
end
-- True where the time of a live job is over.
local function isOverdue(id, now)
  local due = call('ZSCORE', DEADLINES, id)
  return due and tonumber(due) <= (now or clock())
end
-- A deadline is kept when it passes: whatever asks for a job past its own finds it ended, also before a sweep has come.
local function endIfOver(id)
  endIfPurged(id)
  if isOverdue(id) then expireJob(id, ttlOver(clock())) end
end
-- Some of those that are due, the oldest first. How many are left.
local function expireDue(limit)
  local now = clock()
  local ids = call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do endIfOver(id) end
  return #ids < limit and 0 or call('ZCOUNT', DEADLINES, '-inf', now)
end

local function isSettled(id)
  endIfOver(id)
  return call('EXISTS', settledKey(id)) == 1
end

-- False for a job that does not exist.
local function settleJob(id, worker, end_)
  local job = call('HMGET', jobKey(id), 'name', 'timestamp', 'processedOn', 'ats', 'opts', 'unread')
  if not job[2] then return false end
  local fields = {
    'submittedAt', job[2], 'settledAt', end_.now, 'attempts', job[4] or '0', 'workerId', worker or '',
    'status', end_.status, 'outcome', end_.outcome,
  }
  if job[3] then
    fields[#fields + 1] = 'startedAt'
    fields[#fields + 1] = job[3]
  end
  local bytes = #end_.outcome + (job[6] or 0)
  if isAskedFor(end_.status) then bytes = bytes + addSubmission(fields, id) end
  call('HSET', settledKey(id), unpack(fields))
  local ttl = job[1] == 'sync' and end_.syncMs or end_.asyncMs
  call('PEXPIRE', settledKey(id), ttl)
  call('PEXPIRE', chunksKey(id), ttl)
  registerEnds({ id }, job[1], end_, bytes)
  keepWithBatch(id, job[5], end_.now)
  postWebhook(id, worker, end_, job[5])
  countOutcome(end_.status, 1)
  markWorker(worker, end_.now)
  dropJob(id)
  return true
end

local function readRecord(id)
  endIfOver(id)
  local s = call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'outcome')
  if s[1] then return { 'settled', s[1], s[2], s[3], s[4], s[5], s[6] } end
  local j = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'progress', 'priority')
  if not j[1] then return false end
  return { 'live', j[1], j[2], j[3], j[4], call('GET', lockKey(id)), j[5], call('ZSCORE', DEADLINES, id) }
end
`
