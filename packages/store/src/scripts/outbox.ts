// The outbox of webhooks, one per endpoint, so that a job's end and the event that tells of it are one step. Events wait in one lane per
// receiver: a dead receiver holds up nobody else's. Two gateways never deliver the same attempt: a claim moves the event's due time past its
// lease and leaves a token, without which nothing more is written of it.
// h:<event> (what a delivery needs)   e:<job> (its events: as long as they are there, so are its blobs)   r:outbox (event → when its job ended)   l:<lane> (event → when it is due)
// r:lanes (lane → when its first event is due)   r:hook-log (attempts, newest first)
import type { Script } from './script.ts'

/** Lanes that one look goes through; those that are busy are passed over. */
const LANES_AT_ONCE = 200

/** Part of the prelude of all scripts on jobs. Needs `q`, `call` and `jobKey`. */
export const OUTBOX = `
local OUTBOX, LANES = q .. ':r:outbox', q .. ':r:lanes'
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

-- Called while the job is still there. The options name the lane of a job's webhook and are short; a job without one costs this look.
local function postWebhook(id, worker, end_)
  local opts = call('HGET', jobKey(id), 'opts')
  if not opts or not string.find(opts, '"webhook"', 1, true) then return end
  local lane = cjson.decode(opts).webhook
  local job = call('HMGET', jobKey(id), 'data', 'timestamp', 'processedOn', 'ats')
  local event = 'evt_' .. id .. '_' .. end_.now
  call('HSET', eventKey(event), 'jobId', id, 'lane', lane, 'data', job[1], 'submittedAt', job[2], 'startedAt', job[3] or '',
    'settledAt', end_.now, 'attempts', job[4] or '0', 'workerId', worker or '', 'outcome', end_.outcome, 'tries', 0)
  call('SADD', eventsKey(id), event)
  call('PERSIST', eventsKey(id))
  call('ZADD', OUTBOX, end_.now, event)
  call('ZADD', laneKey(lane), end_.now, event)
  indexLane(lane)
  callCourier()
end
`

const HEAD = `
local q = KEYS[1]
local call = redis.call
${OUTBOX}
`

/**
 * ARGV: now, lease until, limit, limit per lane, token, then lane and number of its events in delivery, alternating.
 * → { events, when the next one is due or nil, whether more are due than there was room for }
 */
export const CLAIM_WEBHOOKS: Script = {
  name: 'runyardClaimWebhooks',
  keys: 1,
  lua: `${HEAD}
local now, leaseUntil, limit, perLane, token = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local busy, claimed, isMoreDue = {}, {}, false
for at = 6, #ARGV, 2 do busy[ARGV[at]] = tonumber(ARGV[at + 1]) end

local function claim(event, lane)
  local row = call('HMGET', eventKey(event), 'jobId', 'data', 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'outcome')
  if not row[1] then
    call('ZREM', laneKey(lane), event)
    call('ZREM', OUTBOX, event)
    return
  end
  call('ZADD', laneKey(lane), leaseUntil, event)
  call('HSET', eventKey(event), 'lease', token)
  claimed[#claimed + 1] = { event, lane, call('HINCRBY', eventKey(event), 'tries', 1), row }
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
return { claimed, next[2] or false, isMoreDue }
`,
}

/**
 * ARGV: event, lane, token, verdict (delivered | retry | dropped), next due time or how long a dropped event is kept (ms), attempt (JSON),
 * entries kept in the log, how long the log is kept (ms) → 1, or 0 where the lease was lost: then somebody else delivers it.
 * What was sent was sent: it is logged in either case.
 */
export const FINISH_WEBHOOK: Script = {
  name: 'runyardFinishWebhook',
  keys: 1,
  lua: `${HEAD}
local event, lane, token, verdict = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local log = q .. ':r:hook-log'
call('LPUSH', log, ARGV[6])
call('LTRIM', log, 0, ARGV[7] - 1)
call('PEXPIRE', log, ARGV[8])
if call('HGET', eventKey(event), 'lease') ~= token then return 0 end
call('HDEL', eventKey(event), 'lease')
if verdict == 'retry' then
  call('ZADD', laneKey(lane), ARGV[5], event)
  callCourier()
else
  call('ZREM', laneKey(lane), event)
  call('ZREM', OUTBOX, event)
  local job = call('HGET', eventKey(event), 'jobId')
  if verdict == 'delivered' then
    call('SREM', eventsKey(job), event)
    call('DEL', eventKey(event))
  else
    call('PEXPIRE', eventKey(event), ARGV[5])
    call('PEXPIRE', eventsKey(job), ARGV[5])
  end
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
local row = call('HMGET', eventKey(event), 'lane', 'settledAt', 'lease', 'jobId')
if not row[1] then return 'unknown' end
if row[3] then return 'in_delivery' end
call('PERSIST', eventKey(event))
call('PERSIST', eventsKey(row[4]))
call('ZADD', OUTBOX, row[2], event)
call('ZADD', laneKey(row[1]), ARGV[2], event)
indexLane(row[1])
callCourier()
return 'due'
`,
}
