-- What the live jobs of an endpoint weigh in Redis (ADR 42). A job's weight stands in its own hash and goes with it: every deletion of the hash
-- subtracts it, and nothing else does. Bounds are checked when a caller asks for more, never for a job that was accepted before.
-- Unread chunks weigh with their job (`unread`) while it lives; then they are part of its result, which makes room for newer ones.
-- r:counters queueBytes (live jobs and drafts of batches), unreadBytes   <job> weight, unread   r:drafts (batch → weight of its drafts)
-- Invariants: queueBytes is the sum of all weights, unreadBytes of all that is unread. Drafts expire by themselves; the next read of batches, or a
-- sweep, subtracts them.

-- What Redis needs for a live job or a draft beside its texts.
local JOB_BYTES = 512
-- And for a chunk.
local CHUNK_BYTES = 16

-- Lua writes the negative of 0 as -0, which Redis takes for no number.
local function addWeight(bytes) call('HINCRBY', COUNTERS, 'queueBytes', bytes + 0) end
local function weigh(job) return #job.data + #job.opts + JOB_BYTES end
-- Why so many more jobs of this weight may not wait, or false; and the purges so far, for `noteQueued`. Where nothing is, the first is taken whatever
-- it weighs. To an endpoint that was forgotten nothing is added: it would stay for ever (ADR 43).
local function noRoomFor(jobs, bytes, mostJobs, mostBytes)
  if call('EXISTS', FORGOTTEN) == 1 then return 'forgotten' end
  if call('LLEN', WAIT) + call('ZCARD', PRIORITIZED) + jobs > tonumber(mostJobs) then return 'queue_full' end
  local counted = call('HMGET', COUNTERS, 'queueBytes', 'purges')
  local held = tonumber(counted[1] or '0')
  if held > 0 and held + bytes > tonumber(mostBytes) then return 'queue_heavy' end
  return false, counted[2]
end
-- Live jobs of each API key that has a limit (ADR 60): r:key-jobs (key → how many). A job that counts names its key in its hash (`key`), and the count
-- goes with the hash, as its weight does. Keys without a limit cost nothing.
local function isKeyFull(key, jobs, most)
  return key ~= '' and tonumber(call('HGET', KEY_JOBS, key) or '0') + jobs > tonumber(most)
end
local function countForKey(key, jobs)
  if call('HINCRBY', KEY_JOBS, key, jobs) <= 0 then call('HDEL', KEY_JOBS, key) end
end
local function weighChunk(length) return length + CHUNK_BYTES end
local function addUnread(id, bytes)
  call('HINCRBY', jobKey(id), 'unread', bytes + 0)
  return call('HINCRBY', COUNTERS, 'unreadBytes', bytes + 0)
end
-- Whether it was within the bound. Beyond it only a job with more than its share is refused, so a greedy one does not fail the others; all
-- together stay below twice the bound.
local function addChunkWeight(id, bytes, most)
  if addUnread(id, bytes) <= tonumber(most) then return true end
  local share = most / math.max(1, call('LLEN', ACTIVE))
  if tonumber(call('HGET', jobKey(id), 'unread')) <= share then return true end
  addUnread(id, -bytes)
  return false
end
-- Of a live job; at most what was counted.
local function releaseUnread(id, bytes)
  local held = tonumber(call('HGET', jobKey(id), 'unread') or '0')
  if held > 0 then addUnread(id, -math.min(held, bytes)) end
end
-- A job's hash is deleted next.
local function releaseJob(id, counted)
  local job = counted or call('HMGET', jobKey(id), 'weight', 'unread', 'key')
  if job[1] then addWeight(-job[1]) end
  if job[2] then addUnread(id, -job[2]) end
  if job[3] then countForKey(job[3], -1) end
end
local function weighDraft(length) return length + JOB_BYTES end
local function addDrafts(batch, bytes)
  call('HINCRBY', DRAFTS, batch, bytes)
  addWeight(bytes)
end
-- At most what was counted of the batch.
local function releaseDrafts(batch, bytes)
  local held = tonumber(call('HGET', DRAFTS, batch) or '0')
  if bytes < held then return addDrafts(batch, -bytes) end
  if call('HDEL', DRAFTS, batch) == 1 then addWeight(-held) end
end
local function releaseExpiredDrafts()
  for _, batch in ipairs(call('HKEYS', DRAFTS)) do
    if call('EXISTS', batchKey(batch)) == 0 then releaseDrafts(batch, math.huge) end
  end
end
