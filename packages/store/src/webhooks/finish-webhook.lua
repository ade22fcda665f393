-- Records an attempt and what follows from it. `nextAt`: when the event is due again, or until when it is kept after the last attempt. The attempt is
-- logged even if the lease was lost (0) and another gateway delivers the event. Called by `webhooks.finish`.
logAttempt(attempt)
if call('HGET', eventKey(event), 'lease') ~= token then return 0 end
call('HDEL', eventKey(event), 'lease', 'asked')
if verdict == 'retry' then
  call('ZADD', laneKey(lane), nextAt, event)
  callCourier()
elseif verdict == 'delivered' then
  removeEvent(event)
else
  call('ZREM', laneKey(lane), event)
  call('ZREM', OUTBOX, event)
  call('ZADD', GIVEN_UP, nextAt, event)
end
indexLane(lane)
return 1
