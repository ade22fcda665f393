-- Jobs that were lost together with others (ADR 34). One of them may have killed the worker, so each runs alone from then on, until it ends.
-- They wait here and not in BullMQ's structures, from which its own script would hand them out to any worker.
-- r:suspects (job → when it was submitted while it waits, 1e15 more at low priority; inf while it runs). Gone with the last suspect.
-- Invariants: a worker that holds a suspect holds nothing else. The key is absent if no job is a suspect, so that costs a take one read.

local function isSuspect(id) return call('ZSCORE', SUSPECTS, id) end
local function forgetSuspect(id) return call('ZREM', SUSPECTS, id) == 1 end
local function suspectRuns(id) call('ZADD', SUSPECTS, '+inf', id) end
local function suspectWaits(id)
  local job = call('HMGET', jobKey(id), 'timestamp', 'priority')
  local later = tonumber(job[2] or '0') > 0 and 1e15 or 0
  call('ZADD', SUSPECTS, string.format('%.0f', tonumber(job[1] or '0') + later), id)
end
local function waitingSuspects() return call('ZRANGEBYSCORE', SUSPECTS, '-inf', '(inf') end
local function firstSuspect() return call('ZRANGEBYSCORE', SUSPECTS, '-inf', '(inf', 'LIMIT', 0, 1)[1] end

-- What a worker holds, also by leases that have run out while the jobs were not taken back.
local function heldBy(worker)
  local held = {}
  for _, id in ipairs(call('LRANGE', ACTIVE, 0, -1)) do
    if call('HGET', jobKey(id), 'pb') == worker then held[#held + 1] = id end
  end
  return held
end

-- A worker is lost: where it held several jobs, each of them is a suspect. Where only leases ran out, those that still stand are not among them.
local function suspectAll(worker, onlyExpired)
  local lost = {}
  for _, id in ipairs(heldBy(worker)) do
    if not onlyExpired or call('EXISTS', lockKey(id)) == 0 then lost[#lost + 1] = id end
  end
  if #lost > 1 then for _, id in ipairs(lost) do suspectRuns(id) end end
end

-- May this worker be given jobs? 'any', 'none', or the suspect that it is to run. While suspects wait, a worker that holds others takes nothing more, or it
-- would never be free for one.
local function allowance(worker)
  if call('EXISTS', SUSPECTS) == 0 then return 'any' end
  local held = heldBy(worker)
  for _, id in ipairs(held) do if isSuspect(id) then return 'none' end end
  local first = firstSuspect()
  if not first then return 'any' end
  return #held == 0 and 'suspect' or 'none', first
end
