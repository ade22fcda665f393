-- How a job ends: by its worker's result, by force, in a purge, or by its deadline; and how it is read afterwards. Used by most scripts on jobs.
-- Invariants: a settled hash is written once and never changed. A worker's write needs its lease. A job with an outcome is in none of BullMQ's
-- structures.

-- Jobs that ended by their ttl are counted as 'timedOut' where they expire.
local OUTCOME_COUNTERS = { COMPLETED = 'completed', FAILED = 'failed', TIMED_OUT = 'failed', CANCELLED = 'cancelled' }
local function countOutcome(status, jobs)
  local counter = OUTCOME_COUNTERS[status]
  if counter then call('HINCRBY', COUNTERS, counter, jobs) end
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

-- Jobs of one purge; those that have ended already are passed over. A purge sends no webhooks (client-api §5.8). A job that was given back may
-- have chunks of an attempt that does not count any more.
local function endPurged(ids, ending) -- rare
  if #ids == 0 then return end
  local jobs, chunks, options, ended, count, weight, unread = {}, {}, {}, { async = {}, sync = {} }, 0, 0, 0
  local byKey = {}
  for at, id in ipairs(ids) do
    jobs[at] = jobKey(id)
    local job = call('HMGET', jobs[at], 'name', 'timestamp', 'ats', 'opts', 'weight', 'unread', 'key')
    if job[2] then
      if job[7] then byKey[job[7]] = (byKey[job[7]] or 0) + 1 end
      weight, unread = weight + (job[5] or 0), unread + (job[6] or 0)
      chunks[#chunks + 1] = chunksKey(id)
      local outcome = { 'settledAt', ending.now, 'status', ending.status, 'outcome', ending.outcome, 'workerId', '' }
      call('HSET', settledKey(id), 'submittedAt', job[2], 'attempts', job[3] or '0', unpack(outcome))
      call('PEXPIRE', settledKey(id), job[1] == 'sync' and ending.syncMs or ending.asyncMs)
      table.insert(ended[job[1]], id)
      count = count + 1
      options[id] = job[4]
    end
  end
  if count > 0 then
    countOutcome(ending.status, count)
    addWeight(-weight)
    for key, some in pairs(byKey) do countForKey(key, -some) end
    if unread > 0 then call('HINCRBY', COUNTERS, 'unreadBytes', -unread) end
    call('UNLINK', unpack(chunks))
  end
  for kind, some in pairs(ended) do registerEnds(some, kind, ending, #ending.outcome) end
  for id, opts in pairs(options) do keepWithBatch(id, opts, ending.now) end
  call('UNLINK', unpack(jobs))
  call('ZREM', DEADLINES, unpack(ids))
  call('ZREM', SUSPECTS, unpack(ids))
end

-- Nearly always there is no purge under way, and this is one look. A job that is held, or was until its lease ran out, was not in the queue.
local function endIfPurged(id)
  if call('EXISTS', PURGES) == 0 then return end
  local job = call('HMGET', jobKey(id), 'timestamp', 'purges')
  if not job[1] or holderOf(id) then return end
  local ending = call('HGET', PURGES, (job[2] or 0) + 1)
  if ending then endPurged({ id }, cjson.decode(ending)) end
end

-- A job whose ttl is over is gone, whatever its state (client-api §4.4). Its webhook delivers an end.
local function expireJob(id, ending) -- rare
  local isHeld = false
  if call('EXISTS', settledKey(id)) == 0 then
    local holder = holderOf(id)
    isHeld = holder ~= false and holder ~= nil
    markWorker(holder, ending.now)
    postWebhook(id, holder, ending, call('HGET', jobKey(id), 'opts'))
    call('DEL', chunksKey(id))
    writeEntry(id, { status = isHeld and 'IN_PROGRESS' or 'IN_QUEUE', at = ending.now, expiry = tonumber(ending.now), bytes = 0, why = 'ttl' })
    remember(id, tonumber(ending.now))
    call('HINCRBY', COUNTERS, 'timedOut', 1)
    listExpired(id, holder, ending.now)
    announce({ kind = 'job-settled', jobId = id })
    if isHeld then announce({ kind = 'job-stop', jobId = id, workerId = holder }) end
  end
  dropJob(id)
end
local function ttlOver(now)
  return { now = now, status = 'TIMED_OUT', outcome = TTL_OVER }
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
-- Ends up to `limit` jobs that are due, the oldest first. Returns how many are left.
local function expireDue(limit)
  local now = clock()
  local ids = call('ZRANGEBYSCORE', DEADLINES, '-inf', now, 'LIMIT', 0, limit)
  for _, id in ipairs(ids) do endIfOver(id) end
  return #ids < limit and 0 or call('ZCOUNT', DEADLINES, '-inf', now)
end

-- Nearly always one look finds that it is live, in no purge, in time, and that no job is a suspect.
local function isPlainJob(id)
  return call('EXISTS', PURGES, SUSPECTS, settledKey(id)) == 0 and not isOverdue(id)
end
local function isSettled(id)
  if isPlainJob(id) then return false end
  endIfOver(id)
  return call('EXISTS', settledKey(id)) == 1
end

-- { submitted at, started at, settled at, attempts, worker }; false for a job that does not exist. `isPlain`: as `isPlainJob` found.
local function settleJob(id, worker, ending, isPlain)
  local job = call('HMGET', jobKey(id), 'name', 'timestamp', 'processedOn', 'ats', 'opts', 'weight', 'unread', 'key', 'streamed')
  if not job[2] then return false end
  local fields = {
    'submittedAt', job[2], 'settledAt', ending.now, 'attempts', job[4] or '0', 'workerId', worker or '',
    'status', ending.status, 'outcome', ending.outcome,
  }
  if job[3] then
    fields[#fields + 1] = 'startedAt'
    fields[#fields + 1] = job[3]
  end
  local bytes = #ending.outcome + (job[7] or 0)
  if isAskedFor(ending.status) then bytes = bytes + addSubmission(fields, id) end
  call('HSET', settledKey(id), unpack(fields))
  local ttl = job[1] == 'sync' and ending.syncMs or ending.asyncMs
  call('PEXPIRE', settledKey(id), ttl)
  if job[9] then call('PEXPIRE', chunksKey(id), ttl) end
  registerEnds({ id }, job[1], ending, bytes)
  keepWithBatch(id, job[5], ending.now)
  postWebhook(id, worker, ending, job[5])
  countOutcome(ending.status, 1)
  markWorker(worker, ending.now)
  dropJob(id, { job[6], job[7], job[8] }, isPlain)
  return { job[2], job[3], ending.now, job[4] or '0', worker or '' }
end

local function readRecord(id)
  endIfOver(id)
  local s = call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'outcome')
  if s[1] then return { 'settled', s[1], s[2], s[3], s[4], s[5], s[6] } end
  local j = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'progress', 'priority')
  if not j[1] then return false end
  return { 'live', j[1], j[2], j[3], j[4], call('GET', lockKey(id)), j[5], call('ZSCORE', DEADLINES, id) }
end
