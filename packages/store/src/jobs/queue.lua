-- How a job enters BullMQ's structures, stands in them and leaves them. BullMQ's own script makes a job active under its lock. Ours add it, renew
-- the lock, end the job or put it back, each as one atomic step, so that there is no half-way state between outcome and queue.
-- `queue` is the endpoint's base key; all other keys derive from it and share its hash tag.
-- Each statement of a shared file begins at the margin, since a script gets only those that it uses; a function that rarely runs is marked
-- (`used-parts.ts`).

-- The worker that has the lock; or whose lock has run out while no process has taken the job back ('pb' is BullMQ's mark of the last taker).
-- So a gateway or a Redis that was away for longer than a lease costs no finished work.
local function holderOf(id)
  local holder = call('GET', lockKey(id))
  if holder or not call('LPOS', ACTIVE, id) then return holder end
  return call('HGET', jobKey(id), 'pb')
end

-- By the clock of Redis, which all processes share.
local function clock()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Where LREM is to begin: a queue is left in the order in which it was entered, so a job's age says which end of a long list is nearer (-1: the
-- oldest). What expires is the oldest; from the other end, each of 100,000 would cost a walk past all that are younger.
local function nearerEnd(id)
  local function enteredAt(job) return tonumber(job and call('HGET', jobKey(job), 'timestamp') or 0) end
  local own = enteredAt(id)
  local sinceOldest = own - enteredAt(call('LINDEX', WAIT, -1))
  return sinceOldest <= enteredAt(call('LINDEX', WAIT, 0)) - own and -1 or 1
end

-- Removes every trace of a live job from the queue, and its weight (ADR 42). A leased job is in 'active', so the long list is left alone for it.
-- `counted`: what `releaseJob` would read, from a caller that has read it. `noSuspects`: it knows that there are none.
local function dropJob(id, counted, noSuspects)
  local someSuspects = not noSuspects and call('EXISTS', SUSPECTS) == 1
  local wasSuspect = someSuspects and forgetSuspect(id)
  if call('LREM', ACTIVE, -1, id) == 1 then
    -- A worker that was refused beside a suspect, or kept free for one, may be given jobs again. No job is new, so nothing else says so.
    if someSuspects then announce({ kind = 'job-added' }) end
  elseif not wasSuspect and call('ZREM', PRIORITIZED, id) == 0 then
    call('LREM', WAIT, nearerEnd(id), id)
  end
  releaseJob(id, counted)
  call('DEL', jobKey(id), lockKey(id))
  call('ZREM', DEADLINES, id)
end

-- A job that comes into the queue notes the purges that it has not been part of (purge.lua). `purges`: from a caller that has read them, or false.
local function noteQueued(id, purges)
  if purges == nil then purges = call('HGET', COUNTERS, 'purges') end
  if purges then call('HSET', jobKey(id), 'purges', purges) end
end

-- As BullMQ's addStandardJob and addPrioritizedJob do.
local function enqueueJob(id, job, purges)
  local weight = weigh(job)
  call('HSET', jobKey(id), 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.now, 'delay', 0, 'priority', job.priority, 'weight', weight)
  addWeight(weight)
  if job.key ~= '' then
    call('HSET', jobKey(id), 'key', job.key)
    countForKey(job.key, 1)
  end
  noteQueued(id, purges)
  local priority = tonumber(job.priority)
  if priority > 0 then
    call('ZADD', PRIORITIZED, priority * 0x100000000 + call('INCR', PRIORITY_COUNTER) % 0x100000000, id)
  else
    call('LPUSH', WAIT, id)
  end
end

local function submitJob(job, purges)
  call('ZADD', DEADLINES, job.deadline, job.id)
  enqueueJob(job.id, job, purges)
end

-- As BullMQ's moveJobFromActiveToWait: to the front of its own kind (priority 0 = the plain list). A suspect waits among suspects.
-- The next attempt streams from its beginning: unread chunks of this one would be delivered twice.
local function requeueJob(id)
  if call('LREM', ACTIVE, -1, id) == 0 then return false end
  call('DEL', lockKey(id))
  call('HDEL', jobKey(id), 'progress', 'streamed')
  call('DEL', chunksKey(id))
  releaseUnread(id, math.huge)
  noteQueued(id)
  local priority = tonumber(call('HGET', jobKey(id), 'priority') or '0')
  if isSuspect(id) then
    suspectWaits(id)
  elseif priority > 0 then
    call('ZADD', PRIORITIZED, priority * 0x100000000, id)
  else
    call('RPUSH', WAIT, id)
  end
  return true
end
