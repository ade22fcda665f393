// A batch: requests that are collected first and become jobs when it is finalised (client-api §5.13). All its keys are in its endpoint's slot.
// b:<batch> (its record)   b:<batch>:ids (its requests in order)   b:<batch>:drafts (request → submission, until it is a job)
// r:batches (batch → when it was made)   r:batches:until (batch → when its keys expire)   r:batches:active (those that count against the limit)
// What drafts weigh counts with the jobs that wait (`weights.ts`).
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'
import { ENQUEUE } from './submits.ts'

/** Ended batches are kept for days. Beyond so many batches, or requests of theirs, the oldest go. */
const MOST_KEPT = 10_000
const MOST_KEPT_REQUESTS = 1_000_000
/** So few batches cannot hold more requests than that. */
const FEW_BATCHES = 200
/** As many as Lua passes to one call. */
const DROPPED_AT_ONCE = 1000

const BATCHES = `
local batches, active, ends = KEYS[1] .. ':r:batches', KEYS[1] .. ':r:batches:active', KEYS[1] .. ':r:batches:until'
local function batchKey(id) return KEYS[1] .. ':b:' .. id end
local function idsKey(id) return batchKey(id) .. ':ids' end
local function draftsKey(id) return batchKey(id) .. ':drafts' end
local function number(id, field) return tonumber(redis.call('HGET', batchKey(id), field) or '0') end
local function live(id, ms)
  for _, key in ipairs({ batchKey(id), idsKey(id), draftsKey(id) }) do redis.call('PEXPIRE', key, ms) end
  redis.call('ZADD', ends, string.format('%.0f', clock() + ms), id)
end
-- Their keys are gone by themselves; who lists or counts batches sees no more of them.
local function dropExpired()
  local ids
  repeat
    ids = redis.call('ZRANGEBYSCORE', ends, '-inf', clock(), 'LIMIT', 0, ${DROPPED_AT_ONCE})
    if #ids > 0 then
      redis.call('ZREM', batches, unpack(ids))
      redis.call('ZREM', ends, unpack(ids))
      redis.call('SREM', active, unpack(ids))
    end
  until #ids < ${DROPPED_AT_ONCE}
end
local function dropOldest()
  if redis.call('ZCARD', batches) <= ${FEW_BATCHES} then return end
  local requests = 0
  for place, id in ipairs(redis.call('ZREVRANGE', batches, 0, -1)) do
    requests = requests + number(id, 'requestTotal')
    local isOver = place > ${MOST_KEPT} or requests > ${MOST_KEPT_REQUESTS}
    if isOver and redis.call('HEXISTS', batchKey(id), 'ended') == 1 then
      redis.call('UNLINK', batchKey(id), idsKey(id))
      redis.call('ZREM', batches, id)
      redis.call('ZREM', ends, id)
    end
  end
end
-- Why a batch cannot be changed as a draft; nil where it can.
local function noDraft(id)
  local status = redis.call('HGET', batchKey(id), 'status') or 'unknown'
  return status ~= 'DRAFT' and status or nil
end
`

/** ARGV: batch, now, most active, lifeMs → 'ok', 'too_many' */
export const CREATE_BATCH: Script = {
  name: 'runyardCreateBatch',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
local id = ARGV[1]
if call('EXISTS', q .. ':r:forgotten') == 1 then return 'forgotten' end
dropExpired()
releaseExpiredDrafts()
dropOldest()
for _, other in ipairs(call('SMEMBERS', active)) do
  if call('EXISTS', batchKey(other)) == 0 then call('SREM', active, other) end
end
if call('SCARD', active) >= tonumber(ARGV[3]) then return 'too_many' end
call('HSET', batchKey(id), 'status', 'DRAFT', 'createdAt', ARGV[2])
call('SADD', active, id)
call('ZADD', batches, ARGV[2], id)
live(id, ARGV[4])
return 'ok'
`,
}

/** ARGV: offset, limit → { how many there are, those, newest first } */
export const LIST_BATCHES: Script = {
  name: 'runyardListBatches',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
dropExpired()
return { redis.call('ZCARD', batches), redis.call('ZREVRANGE', batches, ARGV[1], ARGV[1] + ARGV[2] - 1) }
`,
}

/**
 * ARGV: batch, most requests, most bytes, lifeMs, longest ttlMs, most bytes in the queue, then request, submission (JSON) … → 'ok', 'too_many',
 * 'too_large', 'queue_heavy' or its status
 */
export const ADD_REQUESTS: Script = {
  name: 'runyardAddRequests',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
local id = ARGV[1]
local status = noDraft(id)
if status then return status end
local count, bytes, weight = (#ARGV - 6) / 2, 0, 0
for at = 8, #ARGV, 2 do
  bytes = bytes + #ARGV[at]
  weight = weight + weighDraft(#ARGV[at])
end
if number(id, 'requestTotal') + count > tonumber(ARGV[2]) then return 'too_many' end
if number(id, 'bytes') + bytes > tonumber(ARGV[3]) then return 'too_large' end
releaseExpiredDrafts()
local refused = noRoomFor(0, weight, math.huge, ARGV[6])
if refused then return refused end
addDrafts(id, weight)
for at = 7, #ARGV, 2 do
  call('HSET', draftsKey(id), ARGV[at], ARGV[at + 1])
  call('RPUSH', idsKey(id), ARGV[at])
end
call('HINCRBY', batchKey(id), 'requestTotal', count)
call('HINCRBY', batchKey(id), 'bytes', bytes)
call('HSET', batchKey(id), 'ttlMs', string.format('%.0f', math.max(number(id, 'ttlMs'), tonumber(ARGV[5]))))
live(id, ARGV[4])
return 'ok'
`,
}

/** ARGV: batch, request → 'ok', 'unknown_request' or its status */
export const DROP_REQUEST: Script = {
  name: 'runyardDropRequest',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
local id = ARGV[1]
local status = noDraft(id)
if status then return status end
local bytes = call('HSTRLEN', draftsKey(id), ARGV[2])
if call('HDEL', draftsKey(id), ARGV[2]) == 0 then return 'unknown_request' end
call('LREM', idsKey(id), 1, ARGV[2])
call('HINCRBY', batchKey(id), 'requestTotal', -1)
call('HINCRBY', batchKey(id), 'bytes', -bytes)
releaseDrafts(id, weighDraft(bytes))
return 'ok'
`,
}

/** ARGV: batch, field, value → 'ok', 'unknown' */
export const SET_BATCH_FIELD: Script = {
  name: 'runyardSetBatchField',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
if redis.call('EXISTS', batchKey(ARGV[1])) == 0 then return 'unknown' end
redis.call('HSET', batchKey(ARGV[1]), ARGV[2], ARGV[3])
if ARGV[2] == 'ended' then redis.call('SREM', active, ARGV[1]) end
return 'ok'
`,
}

/** ARGV: batch, most queued, keepMs → 'ok' (also once more), 'empty', 'queue_full', 'unknown' or CANCELLED */
export const FINALIZE_BATCH: Script = {
  name: 'runyardFinalizeBatch',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
local id = ARGV[1]
local status = noDraft(id)
if status then return status == 'FINALIZED' and 'ok' or status end
local total = number(id, 'requestTotal')
if total == 0 then return 'empty' end
if call('LLEN', KEYS[1] .. ':wait') + call('ZCARD', KEYS[1] .. ':prioritized') + total > tonumber(ARGV[2]) then return 'queue_full' end
call('HSET', batchKey(id), 'status', 'FINALIZED')
live(id, string.format('%.0f', number(id, 'ttlMs') + ARGV[3]))
return 'ok'
`,
}

/** ARGV: as SUBMIT, then batch → 1, or 0 where it was submitted before or is not wanted any more: each request becomes a job once */
export const SUBMIT_REQUEST: Script = {
  name: 'runyardSubmitRequest',
  keys: 1,
  lua: `${ENQUEUE}${BATCHES}
if call('HGET', batchKey(ARGV[10]), 'status') ~= 'FINALIZED' then return 0 end
local bytes = call('HSTRLEN', draftsKey(ARGV[10]), ARGV[1])
if call('HDEL', draftsKey(ARGV[10]), ARGV[1]) == 0 then return 0 end
releaseDrafts(ARGV[10], weighDraft(bytes))
enqueueSubmitted()
return 1
`,
}

/** ARGV: batch → 'ok' (also once more), 'unknown'. What is no job yet never becomes one. */
export const CANCEL_BATCH: Script = {
  name: 'runyardCancelBatch',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
local id = ARGV[1]
if call('EXISTS', batchKey(id)) == 0 then return 'unknown' end
call('HSET', batchKey(id), 'status', 'CANCELLED')
call('DEL', draftsKey(id))
releaseDrafts(id, math.huge)
return 'ok'
`,
}

/** ARGV: batch, requests … → the status of each: a job's, DRAFT, or '' where nothing of it is left */
export const REQUEST_STATES: Script = {
  name: 'runyardRequestStates',
  keys: 1,
  lua: `${PRELUDE}${BATCHES}
local states = {}
for at = 2, #ARGV do
  local id = ARGV[at]
  endIfOver(id)
  local status = call('HGET', settledKey(id), 'status')
  if not status and call('EXISTS', jobKey(id)) == 1 then status = call('EXISTS', lockKey(id)) == 1 and 'IN_PROGRESS' or 'IN_QUEUE' end
  if not status and call('HEXISTS', draftsKey(ARGV[1]), id) == 1 then status = 'DRAFT' end
  if not status then
    local entry = readEntry(id)
    status = entry and entry.why ~= 'ttl' and entry.status or ''
  end
  states[#states + 1] = status
end
return states
`,
}
