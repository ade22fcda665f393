-- Calls BullMQ's script that makes the next job active, with its keys in the order that it wants. Returns the job's id or nil. Used by `take.lua`.
local function bullTake(worker, now, leaseMs)
  local keys = { WAIT, ACTIVE, PRIORITIZED, QUEUE_EVENTS, STALLED, LIMITER, DELAYED, PAUSED, META, PRIORITY_COUNTER, MARKER }
  local options = cmsgpack.pack({ token = worker, name = worker, lockDuration = leaseMs })
  local id = moveToActive(keys, { queue .. ':', now, options })[2]
  return id ~= 0 and id or nil
end
