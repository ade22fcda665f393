-- Keeps the history within its days and its bytes. `bytes` is a hash of what each kind weighs. A part of the scripts that add to it.
local ENTRY_BYTES, AT_ONCE = 40, 64
local streams = {
  jobs = jobs, failures = failures, samples = samples, sampleMinutes = sampleMinutes, cardChanges = cardChanges, minutes = minutes, hours = hours,
}

local function weighed(kind, change)
  return call('HINCRBY', bytes, kind, change)
end

-- The oldest lives up to a time; how many there were.
local function dropLives(upTo, most)
  local ids = call('ZRANGEBYSCORE', lives, '-inf', upTo, 'LIMIT', 0, most)
  for _, id in ipairs(ids) do
    weighed('lives', -(call('HSTRLEN', lifeRecords, id) + 3 * ENTRY_BYTES))
    call('HDEL', lifeRecords, id)
    call('HDEL', counts, id, id .. ' failed')
    call('ZREM', lives, id)
  end
  return #ids
end

local function dropEntries(kind, upTo, most)
  local entries = call('XRANGE', streams[kind], '-', upTo, 'COUNT', most)
  for _, entry in ipairs(entries) do
    weighed(kind, -(#entry[2][2] + ENTRY_BYTES))
    call('XDEL', streams[kind], entry[1])
  end
  return #entries
end

local function drop(kind, upTo, most)
  if kind == 'lives' then return dropLives(upTo or '+inf', most) end
  return dropEntries(kind, upTo or '+', most)
end

-- The kind that exceeds its share most, and what all of them weigh.
local function largest(bounds, lists)
  local worst, by, total = nil, -math.huge, 0
  for at, kind in ipairs(lists.kinds) do
    local weight = tonumber(call('HGET', bytes, kind) or '0')
    total = total + weight
    local excess = weight - tonumber(lists.shares[at]) * bounds.mostBytes
    if weight > 0 and excess > by then worst, by = kind, excess end
  end
  return worst, total
end

local function keptFor(kind, lists)
  for at, name in ipairs(lists.kinds) do
    if name == kind then return tonumber(lists.keepMs[at]) end
  end
end

local function trimHistory(kind, bounds, lists)
  drop(kind, string.format('%.0f', bounds.now - keptFor(kind, lists)), AT_ONCE)
  for _ = 1, AT_ONCE do
    local worst, total = largest(bounds, lists)
    if total <= bounds.mostBytes or not worst or drop(worst, nil, 4) == 0 then return end
  end
end
