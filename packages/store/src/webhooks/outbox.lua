-- The outbox of webhooks, one per endpoint, so that a job's end and the event that reports it are one step. Events wait in one lane per receiver:
-- a dead receiver delays no other one. Two gateways never make the same attempt: a claim moves the event's due time past its lease and leaves a
-- token, which every later write of the event needs. Used by the scripts that end jobs and deliver webhooks.
-- h:<event> (what a delivery needs)   e:<job> (its events, which keep its blobs)   r:outbox (event → when its job ended)
-- l:<lane> (event → when it is due)   r:lanes (lane → when its first event is due)   r:hook-log (attempts, newest first)
-- r:given-up (event → until when it can be delivered again)   r:outbox-bytes (weight of all events)   r:counters webhooksDropped

-- How many attempts the log keeps, and for how long.
local LOG_LENGTH = 1000
local KEEP_LOG_MS = 7 * 24 * 60 * 60 * 1000
-- Bounds one script's work; what is left goes with the next event.
local REMOVED_AT_ONCE = 64
-- Of the oldest events; those in delivery are passed over.
local LOOKED_AT = 256
-- What Redis needs for an event beside its texts.
local EVENT_BYTES = 1024

local function indexLane(lane)
  local first = call('ZRANGE', laneKey(lane), 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', LANES, first[2], lane) else call('ZREM', LANES, lane) end
end

local function callCourier() announce({ kind = 'webhook-due' }) end

local function logAttempt(text)
  call('LPUSH', WEBHOOK_LOG, text)
  call('LTRIM', WEBHOOK_LOG, 0, LOG_LENGTH - 1)
  call('PEXPIRE', WEBHOOK_LOG, KEEP_LOG_MS)
end

local function removeEvent(event)
  local row = call('HMGET', eventKey(event), 'lane', 'jobId', 'bytes')
  call('ZREM', OUTBOX, event)
  call('ZREM', GIVEN_UP, event)
  if row[1] then
    call('ZREM', laneKey(row[1]), event)
    call('SREM', jobEventsKey(row[2]), event)
    call('DECRBY', OUTBOX_BYTES, row[3] or 0)
    indexLane(row[1])
  end
  call('DEL', eventKey(event))
  if call('EXISTS', OUTBOX, GIVEN_UP) == 0 then call('DEL', OUTBOX_BYTES) end
end

-- True where there may be more of them.
local function forgetGivenUp(now)
  local events = call('ZRANGEBYSCORE', GIVEN_UP, '-inf', now, 'LIMIT', 0, REMOVED_AT_ONCE)
  for _, event in ipairs(events) do removeEvent(event) end
  return #events == REMOVED_AT_ONCE
end

-- Its receiver will never get it.
local function dropEvent(event, now)
  local row = call('HMGET', eventKey(event), 'jobId', 'lane', 'tries')
  removeEvent(event)
  logAttempt(cjson.encode({
    eventId = event, jobId = row[1] or '', url = row[2] or '', attempt = tonumber(row[3] or '0'), at = tonumber(now), durationMs = 0,
    outcome = 'dropped', error = 'dropped: the outbox was full',
  }))
  call('HINCRBY', COUNTERS, 'webhooksDropped', 1)
end

-- First drops events that were given up, then those that have waited longest. The newest event stays, whatever it weighs. An end that a read wrote
-- comes without limits: the next event makes room.
local function makeOutboxRoom(newest, ending)
  local function isOver()
    return call('ZCARD', OUTBOX) + call('ZCARD', GIVEN_UP) > tonumber(ending.outboxEvents or math.huge)
      or tonumber(call('GET', OUTBOX_BYTES) or '0') > tonumber(ending.outboxBytes or math.huge)
  end
  local function isInDelivery(event)
    local row = call('HMGET', eventKey(event), 'lease', 'lane')
    return row[1] and tonumber(call('ZSCORE', laneKey(row[2]), event) or '0') > tonumber(ending.now)
  end
  if not isOver() then return end
  for _, event in ipairs(call('ZRANGE', GIVEN_UP, 0, REMOVED_AT_ONCE - 1)) do
    removeEvent(event)
    if not isOver() then return end
  end
  for _, event in ipairs(call('ZRANGE', OUTBOX, 0, LOOKED_AT - 1)) do
    if event ~= newest and not isInDelivery(event) then
      dropEvent(event, ending.now)
      if not isOver() then return end
    end
  end
end

local function addEvent(id, worker, ending, opts) -- rare
  local lane = cjson.decode(opts).webhook
  local job = call('HMGET', jobKey(id), 'data', 'timestamp', 'processedOn', 'ats')
  local event = 'evt_' .. id .. '_' .. ending.now
  local bytes = #(job[1] or '') + #ending.outcome + EVENT_BYTES
  call('HSET', eventKey(event), 'jobId', id, 'lane', lane, 'data', job[1], 'submittedAt', job[2], 'startedAt', job[3] or '',
    'settledAt', ending.now, 'attempts', job[4] or '0', 'workerId', worker or '', 'outcome', ending.outcome, 'tries', 0, 'bytes', bytes)
  call('INCRBY', OUTBOX_BYTES, bytes)
  call('SADD', jobEventsKey(id), event)
  call('ZADD', OUTBOX, ending.now, event)
  call('ZADD', laneKey(lane), ending.now, event)
  indexLane(lane)
  makeOutboxRoom(event, ending)
  callCourier()
end
-- Called while the job is still there. Its options name the lane of its webhook and are short.
local function postWebhook(id, worker, ending, opts)
  if opts and string.find(opts, '"webhook"', 1, true) then addEvent(id, worker, ending, opts) end
end
