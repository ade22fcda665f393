-- Calls BullMQ's script that makes the next job active, with its keys in the order that it wants. Returns the job's id or nil. Used by `take.lua`.

-- What that script does beside its task: it writes an event, which no process reads; looks for delayed jobs, which there are none of; and reads the whole
-- job, input included, of which `take.lua` wants five fields.
local LEFT_OUT = { XADD = true, ZRANGEBYSCORE = true, HGETALL = true }
local bullRedis = {
  call = function(command, ...)
    if LEFT_OUT[command] then return {} end
    return call(command, ...)
  end,
}

local function bullTake(worker, now, leaseMs)
  local keys = { WAIT, ACTIVE, PRIORITIZED, QUEUE_EVENTS, STALLED, LIMITER, DELAYED, PAUSED, META, PRIORITY_COUNTER, MARKER }
  local options = cmsgpack.pack({ token = worker, name = worker, lockDuration = leaseMs })
  local id = moveToActive(keys, { queue .. ':', now, options }, bullRedis)[2]
  return id ~= 0 and id or nil
end
