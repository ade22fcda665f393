-- The register of ended jobs: which results are kept, how much they weigh, and what became of those that are gone, so that a 404 can say so.
-- An entry stays for some time after its result went. Results expire by Redis itself; the sweep brings the register up to date, and until then a
-- result beyond the limit removes the oldest ones. Used by every script that ends or reads jobs.
-- r:kept:async, r:kept:sync (id → its end, in the order of expiry)   r:ended (id → "status end expiry weight why")
-- r:gone (id → when the entry is forgotten)   r:counters keptBytes

-- How long after its result the entry of an ended job is kept, and how many of them an endpoint keeps at most.
local REMEMBER_GONE_MS = 60 * 60 * 1000
local REMEMBER_GONE_COUNT = 10000
-- What Redis needs for a record beside its texts.
local RECORD_BYTES = 512
-- Bounds one script's work; what is left goes with the next ended job.
local EVICT_AT_ONCE = 64

local function toText(entry)
  return table.concat({ entry.status, entry.at, string.format('%.0f', entry.expiry), entry.bytes, entry.why }, ' ')
end
local function writeEntry(id, entry) call('HSET', ENDED, id, toText(entry)) end
local function readEntry(id)
  local text = call('HGET', ENDED, id)
  if not text then return nil end
  local status, at, expiry, bytes, why = string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  return { status = status, at = at, expiry = tonumber(expiry), bytes = tonumber(bytes), why = why }
end
local function remember(id, goneAt)
  call('ZADD', GONE, string.format('%.0f', goneAt + REMEMBER_GONE_MS), id)
end

-- Its result is gone, or goes now: 'expired', 'room' (made room for newer ones) or 'ttl'.
local function leaveKept(id, entry)
  call('ZREM', keptKey('async'), id)
  call('ZREM', keptKey('sync'), id)
  return call('HINCRBY', COUNTERS, 'keptBytes', -entry.bytes)
end
local function dropResult(id, why, now)
  local entry = readEntry(id)
  call('UNLINK', settledKey(id), chunksKey(id))
  if not entry then
    call('ZREM', keptKey('async'), id)
    call('ZREM', keptKey('sync'), id)
    return
  end
  leaveKept(id, entry)
  if why ~= 'expired' then entry.expiry = tonumber(now) end
  entry.bytes, entry.why = 0, why
  writeEntry(id, entry)
  remember(id, entry.expiry)
end

-- Part of it is gone: chunks that were read.
local function lightenKept(id, bytes)
  local entry = readEntry(id)
  if not entry then return end
  local freed = math.min(entry.bytes, bytes)
  entry.bytes = entry.bytes - freed
  writeEntry(id, entry)
  call('HINCRBY', COUNTERS, 'keptBytes', 0 - freed)
end

local function oldestKept()
  local a = call('ZRANGE', keptKey('async'), 0, 0, 'WITHSCORES')
  local s = call('ZRANGE', keptKey('sync'), 0, 0, 'WITHSCORES')
  if not a[1] then return s[1] end
  if not s[1] then return a[1] end
  return tonumber(a[2]) <= tonumber(s[2]) and a[1] or s[1]
end

-- The newest result stays whatever it weighs, since a caller waits for it. False where more has to go.
local function makeRoom(limit, newest, now) -- rare
  for _ = 1, EVICT_AT_ONCE do
    if tonumber(call('HGET', COUNTERS, 'keptBytes') or '0') <= limit then return true end
    local id = oldestKept()
    if not id or id == newest then return true end
    local entry = readEntry(id)
    dropResult(id, entry and entry.expiry <= tonumber(now) and 'expired' or 'room', now)
  end
  return false
end

-- Ends that differ only in the job.
local function registerEnds(ids, kind, ending, bytes)
  if #ids == 0 then return end
  local ttl = kind == 'sync' and ending.syncMs or ending.asyncMs
  local entry = { status = ending.status, at = ending.now, expiry = ending.now + ttl, bytes = bytes + RECORD_BYTES, why = 'kept' }
  local text, entries, kept = toText(entry), {}, {}
  for at, id in ipairs(ids) do
    entries[2 * at - 1], entries[2 * at] = id, text
    kept[2 * at - 1], kept[2 * at] = ending.now, id
  end
  call('HSET', ENDED, unpack(entries))
  call('ZADD', keptKey(kind), unpack(kept))
  local total = call('HINCRBY', COUNTERS, 'keptBytes', #ids * entry.bytes)
  if total > tonumber(ending.keepBytes) then makeRoom(tonumber(ending.keepBytes), ids[#ids], ending.now) end
end

-- A job that lives again is not in the register.
local function unregister(id)
  local entry = readEntry(id)
  if not entry then return end
  leaveKept(id, entry)
  call('HDEL', ENDED, id)
  call('ZREM', GONE, id)
end

local function dropExpired(kind, now, limit)
  local dropped = 0
  for _, id in ipairs(call('ZRANGE', keptKey(kind), 0, limit - 1)) do
    local entry = readEntry(id)
    if entry and entry.expiry > tonumber(now) then break end
    dropResult(id, 'expired', now)
    dropped = dropped + 1
  end
  return dropped
end

local function forgetGone(now, limit)
  local ids = call('ZRANGEBYSCORE', GONE, '-inf', now, 'LIMIT', 0, limit)
  local over = math.min(limit, call('ZCARD', GONE) - REMEMBER_GONE_COUNT)
  if #ids == 0 and over > 0 then ids = call('ZRANGE', GONE, 0, over - 1) end
  if #ids > 0 then
    call('ZREM', GONE, unpack(ids))
    call('HDEL', ENDED, unpack(ids))
  end
  return #ids
end
