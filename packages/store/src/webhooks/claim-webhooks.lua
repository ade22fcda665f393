-- Claims events that are due, for delivery by one gateway: their rows, when the next one is due, whether more are due now, and how many events
-- were dropped since the last claim. Called by `webhooks.claim`.

-- Lanes that one claim goes through; busy ones are passed over.
local LANES_AT_ONCE = 200

local busy, claimed, isMoreDue = {}, {}, false
local isMoreToForget = forgetGivenUp(now)
for at, lane in ipairs(busyLanes) do busy[lane] = tonumber(inDelivery[at]) end

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

for _, lane in ipairs(call('ZRANGEBYSCORE', LANES, '-inf', now, 'LIMIT', 0, LANES_AT_ONCE)) do
  local room = math.min(limit - #claimed, perLane - (busy[lane] or 0))
  if room > 0 then
    for _, event in ipairs(call('ZRANGEBYSCORE', laneKey(lane), '-inf', now, 'LIMIT', 0, room)) do claim(event, lane) end
    indexLane(lane)
  end
  if tonumber(call('ZSCORE', LANES, lane) or now + 1) <= now then isMoreDue = true end
end
local next = call('ZRANGEBYSCORE', LANES, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local counters = call('HMGET', COUNTERS, 'webhooksDropped', 'webhooksToldDropped')
local dropped = tonumber(counters[1] or '0') - tonumber(counters[2] or '0')
if dropped > 0 then call('HSET', COUNTERS, 'webhooksToldDropped', counters[1]) end
return { claimed, isMoreToForget and tostring(now) or next[2] or false, isMoreDue and 1 or 0, dropped }
