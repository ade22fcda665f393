-- BullMQ's script wants its keys in this order.
local function bullTake(worker, now, leaseMs)
  local keys = { WAIT, ACTIVE, PRIORITIZED, QUEUE_EVENTS, STALLED, LIMITER, DELAYED, PAUSED, META, PRIORITY_COUNTER, MARKER }
  local options = cmsgpack.pack({ token = worker, name = worker, lockDuration = leaseMs })
  local id = moveToActive(keys, { queue .. ':', now, options })[2]
  return id ~= 0 and id or nil
end
