// The outbox of webhooks, one per endpoint, so that a job's end and the event that tells of it are one step. Events wait in one lane per
// receiver: a dead receiver holds up nobody else's. Two gateways never deliver the same attempt: a claim moves the event's due time past its
// lease and leaves a token, without which nothing more is written of it.
// h:<event> (what a delivery needs)   e:<job> (its events: as long as they are there, so are its blobs)   r:outbox (event → when its job ended)   l:<lane> (event → when it is due)
// r:lanes (lane → when its first event is due)   r:hook-log (attempts, newest first)
// r:given-up (event → until when it may be asked for again)   r:outbox-bytes (what all of them weigh)   r:counters webhooksDropped
import type { Script } from './script.ts'

/** Lanes that one look goes through; those that are busy are passed over. */
const LANES_AT_ONCE = 200

/** Entries of the delivery log, and how long it is kept. */
const LOG_LENGTH = 1000
const KEEP_LOG_MS = 7 * 24 * 60 * 60 * 1000
/** Bounds one script's work; what is left goes with the next event. */
const REMOVED_AT_ONCE = 64
/** Of the oldest events; those in delivery are passed over. */
const LOOKED_AT = 256
/** What Redis needs for an event beside its texts. */
const EVENT_BYTES = 1024

/** Part of the prelude of all scripts on jobs. Needs `q`, `call` and `jobKey`. */
export const OUTBOX = `
local OUTBOX, LANES = q .. ':r:outbox', q .. ':r:lanes'
local GIVEN_UP, WEIGHT = q .. ':r:given-up', q .. ':r:outbox-bytes'
local function eventKey(event) return q .. ':h:' .. event end
local function laneKey(lane) return q .. ':l:' .. lane end
local function eventsKey(job) return q .. ':e:' .. job end

local function indexLane(lane)
  local first = call('ZRANGE', laneKey(lane), 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', LANES, first[2], lane) else call('ZREM', LANES, lane) end
end

-- Tells the gateways. The name of the channel follows from the base key, as in keys.ts; no process is the origin, so all of them listen.
local function callCourier()
  local prefix, endpoint = string.match(q, '^(.*):{(.*)}$')
  local signal = '{"origin":"","signal":{"kind":"webhook-due","endpointId":"' .. endpoint .. '"}}'
  call('PUBLISH', prefix .. ':{@}:signals', signal)
end

local function logAttempt(text)
  local log = q .. ':r:hook-log'
  call('LPUSH', log, text)
  call('LTRIM', log, 0, ${LOG_LENGTH - 1})
  call('PEXPIRE', log, ${KEEP_LOG_MS})
end

local function removeEvent(event)
  local row = call('HMGET', eventKey(event), 'lane', 'jobId', 'bytes')
  call('ZREM', OUTBOX, event)
  call('ZREM', GIVEN_UP, event)
  if row[1] then
    call('ZREM', laneKey(row[1]), event)
    call('SREM', eventsKey(row[2]), event)
    call('DECRBY', WEIGHT, row[3] or 0)
    indexLane(row[1])
  end
  call('DEL', eventKey(event))
  if call('EXISTS', OUTBOX, GIVEN_UP) == 0 then call('DEL', WEIGHT) end
end

-- True where there may be more of them.
local function forgetGivenUp(now)
  local events = call('ZRANGEBYSCORE', GIVEN_UP, '-inf', now, 'LIMIT', 0, ${REMOVED_AT_ONCE})
  for _, event in ipairs(events) do removeEvent(event) end
  return #events == ${REMOVED_AT_ONCE}
end

-- Its receiver will never hear of it.
local function dropEvent(event, now)
  local row = call('HMGET', eventKey(event), 'jobId', 'lane', 'tries')
  removeEvent(event)
  logAttempt(cjson.encode({
    eventId = event, jobId = row[1] or '', url = row[2] or '', attempt = tonumber(row[3] or '0'), at = tonumber(now), durationMs = 0,
    outcome = 'dropped', error = 'dropped: the outbox was full',
  }))
  call('HINCRBY', q .. ':r:counters', 'webhooksDropped', 1)
end

-- First what was given up, then what has waited longest. The newest event stays, whatever it weighs. An end that a read wrote knows no limits:
-- the next event makes room.
local function makeOutboxRoom(newest, end_)
  local function isOver()
    return call('ZCARD', OUTBOX) + call('ZCARD', GIVEN_UP) > tonumber(end_.outboxEvents or math.huge)
      or tonumber(call('GET', WEIGHT) or '0') > tonumber(end_.outboxBytes or math.huge)
  end
  local function isInDelivery(event)
    local row = call('HMGET', eventKey(event), 'lease', 'lane')
    return row[1] and tonumber(call('ZSCORE', laneKey(row[2]), event) or '0') > tonumber(end_.now)
  end
  if not isOver() then return end
  for _, event in ipairs(call('ZRANGE', GIVEN_UP, 0, ${REMOVED_AT_ONCE - 1})) do
    removeEvent(event)
    if not isOver() then return end
  end
  for _, event in ipairs(call('ZRANGE', OUTBOX, 0, ${LOOKED_AT - 1})) do
    if event ~= newest and not isInDelivery(event) then
      dropEvent(event, end_.now)
      if not isOver() then return end
    end
  end
end

local function addEvent(id, worker, end_, opts) -- rare
  local lane = cjson.decode(opts).webhook
  local job = call('HMGET', jobKey(id), 'data', 'timestamp', 'processedOn', 'ats')
  local event = 'evt_' .. id .. '_' .. end_.now
  local bytes = #(job[1] or '') + #end_.outcome + ${EVENT_BYTES}
  call('HSET', eventKey(event), 'jobId', id, 'lane', lane, 'data', job[1], 'submittedAt', job[2], 'startedAt', job[3] or '',
    'settledAt', end_.now, 'attempts', job[4] or '0', 'workerId', worker or '', 'outcome', end_.outcome, 'tries', 0, 'bytes', bytes)
  call('INCRBY', WEIGHT, bytes)
  call('SADD', eventsKey(id), event)
  call('ZADD', OUTBOX, end_.now, event)
  call('ZADD', laneKey(lane), end_.now, event)
  indexLane(lane)
  makeOutboxRoom(event, end_)
  callCourier()
end
-- Called while the job is still there. Its options name the lane of its webhook and are short.
local function postWebhook(id, worker, end_, opts)
  if opts and string.find(opts, '"webhook"', 1, true) then addEvent(id, worker, end_, opts) end
end
`

const HEAD = `
local q = KEYS[1]
local call = redis.call
${OUTBOX}
`

/**
 * ARGV: now, lease until, limit, limit per lane, token, then lane and number of its events in delivery, alternating.
 * → { events, when to look again or nil, whether more are due than there was room for, how many were dropped since this was last told }
 */
export const CLAIM_WEBHOOKS: Script = {
  name: 'runyardClaimWebhooks',
  keys: 1,
  lua: `${HEAD}
local now, leaseUntil, limit, perLane, token = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local busy, claimed, isMoreDue = {}, {}, false
local isMoreToForget = forgetGivenUp(now)
for at = 6, #ARGV, 2 do busy[ARGV[at]] = tonumber(ARGV[at + 1]) end

local function claim(event, lane)
  local row = call('HMGET', eventKey(event), 'jobId', 'data', 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'outcome')
  if not row[1] then
    call('ZREM', laneKey(lane), event)
    return removeEvent(event)
  end
  call('ZADD', laneKey(lane), leaseUntil, event)
  call('HSET', eventKey(event), 'lease', token)
  claimed[#claimed + 1] = { event, lane, call('HINCRBY', eventKey(event), 'tries', 1), row, call('HEXISTS', eventKey(event), 'asked') }
end

for _, lane in ipairs(call('ZRANGEBYSCORE', LANES, '-inf', now, 'LIMIT', 0, ${LANES_AT_ONCE})) do
  local room = math.min(limit - #claimed, perLane - (busy[lane] or 0))
  if room > 0 then
    for _, event in ipairs(call('ZRANGEBYSCORE', laneKey(lane), '-inf', now, 'LIMIT', 0, room)) do claim(event, lane) end
    indexLane(lane)
  end
  if tonumber(call('ZSCORE', LANES, lane) or now + 1) <= tonumber(now) then isMoreDue = true end
end
local next = call('ZRANGEBYSCORE', LANES, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local told = call('HMGET', q .. ':r:counters', 'webhooksDropped', 'webhooksToldDropped')
local dropped = tonumber(told[1] or '0') - tonumber(told[2] or '0')
if dropped > 0 then call('HSET', q .. ':r:counters', 'webhooksToldDropped', told[1]) end
return { claimed, isMoreToForget and now or next[2] or false, isMoreDue, dropped }
`,
}

/**
 * ARGV: event, lane, token, verdict (delivered | retry | given_up), next due time or until when one that was given up is kept, attempt (JSON)
 * → 1, or 0 where the lease was lost: then somebody else delivers it. What was sent was sent: it is logged in either case.
 */
export const FINISH_WEBHOOK: Script = {
  name: 'runyardFinishWebhook',
  keys: 1,
  lua: `${HEAD}
local event, lane, token, verdict = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
logAttempt(ARGV[6])
if call('HGET', eventKey(event), 'lease') ~= token then return 0 end
call('HDEL', eventKey(event), 'lease', 'asked')
if verdict == 'retry' then
  call('ZADD', laneKey(lane), ARGV[5], event)
  callCourier()
elseif verdict == 'delivered' then
  removeEvent(event)
else
  call('ZREM', laneKey(lane), event)
  call('ZREM', OUTBOX, event)
  call('ZADD', GIVEN_UP, ARGV[5], event)
end
indexLane(lane)
return 1
`,
}

/** ARGV: event, now → 'due' | 'in_delivery' | 'unknown' */
export const REDELIVER_WEBHOOK: Script = {
  name: 'runyardRedeliverWebhook',
  keys: 1,
  lua: `${HEAD}
local event = ARGV[1]
local row = call('HMGET', eventKey(event), 'lane', 'settledAt', 'lease')
if not row[1] then return 'unknown' end
if row[3] then return 'in_delivery' end
call('HSET', eventKey(event), 'asked', 1)
call('ZREM', GIVEN_UP, event)
call('ZADD', OUTBOX, row[2], event)
call('ZADD', laneKey(row[1]), ARGV[2], event)
indexLane(row[1])
callCourier()
return 'due'
`,
}

/** KEYS: secrets. ARGV: owner, new secret → what signs from now on, newest first, as JSON. In one step: two rotations at once both count. */
export const ROTATE_SECRET: Script = {
  name: 'runyardRotateSecret',
  keys: 1,
  lua: `
local known = redis.call('HGET', KEYS[1], ARGV[1])
local rotated = cjson.encode({ ARGV[2], known and cjson.decode(known)[1] or nil })
redis.call('HSET', KEYS[1], ARGV[1], rotated)
return rotated
`,
}
