-- What was sent was sent: it is logged also where the lease was lost, and another gateway delivers the event. `nextAt`: when the event is due
-- again, or until when it is kept after it was given up.
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
