-- One page of an endpoint's jobs and their total number: first those that wait, then those that run, then those that ended, each newest first.
-- Jobs leave a queue in the order in which they entered it, so this is newest first except for jobs that overtake. `isLive`: without those that ended.
-- Called by `jobs.list`.
local EXPIRED_AT_ONCE = 50
local since = { async = sinceAsync, sync = sinceSync }
local overdue = expireDue(EXPIRED_AT_ONCE)
local rows, total, now = {}, 0, clock()

local function add(id, ahead)
  local s = call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'status')
  if s[1] then
    rows[#rows + 1] = { id, s[6], s[1], s[2], s[3], s[4], s[5] }
    return
  end
  if isOverdue(id, now) then return end
  local j = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats')
  local holder = call('GET', lockKey(id))
  if j[1] then rows[#rows + 1] = { id, holder and 'IN_PROGRESS' or 'IN_QUEUE', j[1], j[2], false, j[3], holder, ahead } end
end
-- One part of the list after another. What is before the offset is counted, not read. `before`: how many others are taken before the oldest of a part.
local function part(length, read, before)
  local from = math.max(0, offset - total)
  local count = math.min(limit - math.max(0, total - offset), length - from)
  if count > 0 then
    for at, id in ipairs(read(from, from + count - 1)) do add(id, before and before + length - from - at) end
  end
  total = total + length
end
local function readEnded(from, to)
  local ids, at = {}, {}
  local lists = {}
  for _, kind in ipairs({ 'async', 'sync' }) do
    lists[#lists + 1] = call('ZREVRANGEBYSCORE', keptKey(kind), '+inf', '(' .. since[kind], 'WITHSCORES', 'LIMIT', 0, to + 1)
    at[#at + 1] = 1
  end
  for n = 0, to do
    local a, s = lists[1][at[1] + 1], lists[2][at[2] + 1]
    local of = (a and (not s or tonumber(a) >= tonumber(s))) and 1 or 2
    if n >= from then ids[#ids + 1] = lists[of][at[of]] end
    at[of] = at[of] + 2
  end
  return ids
end

local suspects = waitingSuspects()
local normal = call('LLEN', WAIT)
part(#suspects, function(from, to) return { unpack(suspects, from + 1, to + 1) } end)
part(call('ZCARD', PRIORITIZED), function(from, to) return call('ZREVRANGE', PRIORITIZED, from, to) end, normal)
part(normal, function(from, to) return call('LRANGE', WAIT, from, to) end, 0)
part(call('LLEN', ACTIVE), function(from, to) return call('LRANGE', ACTIVE, from, to) end)
if isLive then return { total - overdue, rows } end
part(call('ZCOUNT', keptKey('async'), '(' .. since.async, '+inf') + call('ZCOUNT', keptKey('sync'), '(' .. since.sync, '+inf'), readEnded)
return { total - overdue, rows }
