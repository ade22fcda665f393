// The billing ledger: each change is one atomic script. An interval is in one place at any time: open, a row, or added up in its days (ADR 43).
// ledger-open (worker → open interval)   ledger-rows (closed intervals by their end)   ledger-totals ([endpoint, GPU, state] → ms; of deleted
// endpoints ['', GPU, state, owner])   ledger-days:<owner> ([day, endpoint or '', GPU, state] → "seconds GPU-seconds")
// ledger-rolled (until: the midnight that rows were added up to; moves: how often some were)
import type { Script } from './script.ts'

const CLOSE_INTERVAL = `
local function closeInterval(row, at)
  if at <= row.from then return end
  row.to = at
  redis.call('ZADD', KEYS[2], at, cjson.encode(row))
  redis.call('HINCRBY', KEYS[3], cjson.encode({ row.endpointId, row.gpuType, row.state }), at - row.from)
end
`

/**
 * KEYS: open, rows, totals. ARGV: worker, row (JSON without times), at → 1, or 0 where the worker is in that state already. The interval
 * before it ends where this one begins.
 */
export const LEDGER_TRANSITION: Script = {
  name: 'runyardLedgerTransition',
  keys: 3,
  lua: `${CLOSE_INTERVAL}
local at = tonumber(ARGV[3])
local row = cjson.decode(ARGV[2])
local open = redis.call('HGET', KEYS[1], ARGV[1])
if open then
  local before = cjson.decode(open)
  if before.state == row.state then return 0 end
  at = math.max(at, before.from)
  closeInterval(before, at)
end
row.from = at
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(row))
return 1
`,
}

/** KEYS: open, rows, totals. ARGV: worker, at → 1, or 0 where none is open */
export const LEDGER_CLOSE: Script = {
  name: 'runyardLedgerClose',
  keys: 3,
  lua: `${CLOSE_INTERVAL}
local open = redis.call('HGET', KEYS[1], ARGV[1])
if not open then return 0 end
closeInterval(cjson.decode(open), tonumber(ARGV[2]))
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
`,
}

/** KEYS: open. ARGV: worker, its interval as it was read, … Removes those that are still the same. → how many */
export const LEDGER_DROP: Script = {
  name: 'runyardLedgerDrop',
  keys: 1,
  lua: `
local dropped = 0
for at = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[at + 1] then dropped = dropped + redis.call('HDEL', KEYS[1], ARGV[at]) end
end
return dropped
`,
}

/** KEYS: open, totals → { open rows, total fields flat } as one snapshot */
export const LEDGER_TOTALS: Script = {
  name: 'runyardLedgerTotals',
  keys: 2,
  lua: `return { redis.call('HVALS', KEYS[1]), redis.call('HGETALL', KEYS[2]) }`,
}

const ADD_DAY = `
local function addDay(key, field, seconds, gpuSeconds)
  local known = redis.call('HGET', key, field) or '0 0'
  local hadSeconds, hadGpuSeconds = string.match(known, '^(%d+) (%d+)$')
  redis.call('HSET', key, field, string.format('%.0f %.0f', hadSeconds + seconds, hadGpuSeconds + gpuSeconds))
end
`

/**
 * KEYS: rows, an owner's days, rolled. ARGV: until, then for each row its text, how many days it adds to, and of each the field, seconds and GPU-seconds.
 * → how many rows were added up. A row that is not there any more was added up before.
 */
export const LEDGER_ROLL_UP: Script = {
  name: 'runyardLedgerRollUp',
  keys: 3,
  lua: `${ADD_DAY}
local rolled, at = 0, 2
while at <= #ARGV do
  local isThere, days = redis.call('ZREM', KEYS[1], ARGV[at]) == 1, tonumber(ARGV[at + 1])
  if isThere then
    for day = 0, days - 1 do addDay(KEYS[2], ARGV[at + 2 + 3 * day], ARGV[at + 3 + 3 * day], ARGV[at + 4 + 3 * day]) end
    rolled = rolled + 1
  end
  at = at + 2 + 3 * days
end
local before = tonumber(redis.call('HGET', KEYS[3], 'until') or '0')
redis.call('HSET', KEYS[3], 'until', string.format('%.0f', math.max(before, ARGV[1])))
redis.call('HINCRBY', KEYS[3], 'moves', 1)
return rolled
`,
}

/** KEYS: an owner's days. ARGV: field, field that it is added to, … → how many */
export const LEDGER_FOLD_DAYS: Script = {
  name: 'runyardLedgerFoldDays',
  keys: 1,
  lua: `${ADD_DAY}
local folded = 0
for at = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  if known then
    redis.call('HDEL', KEYS[1], ARGV[at])
    addDay(KEYS[1], ARGV[at + 1], string.match(known, '^(%d+) (%d+)$'))
    folded = folded + 1
  end
end
return folded
`,
}

/** KEYS: totals, endpoints, deleted ones that still have workers or keys, owners of those that are gone. → how many totals were added to their owner's */
export const LEDGER_FOLD_TOTALS: Script = {
  name: 'runyardLedgerFoldTotals',
  keys: 4,
  lua: `
local call, folded, all = redis.call, 0, redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local endpoint, gpuType, state = unpack(cjson.decode(all[at]), 1, 3)
  if endpoint ~= '' and call('HEXISTS', KEYS[2], endpoint) == 0 and call('SISMEMBER', KEYS[3], endpoint) == 0 then
    local owner = call('HGET', KEYS[4], endpoint) or ''
    call('HDEL', KEYS[1], all[at])
    call('HINCRBY', KEYS[1], cjson.encode({ '', gpuType, state, owner }), all[at + 1])
    folded = folded + 1
  end
end
return folded
`,
}

/** KEYS: owners of deleted endpoints, since when. ARGV: endpoints */
export const FORGET_OWNERS: Script = {
  name: 'runyardForgetOwners',
  keys: 2,
  lua: `
redis.call('HDEL', KEYS[1], unpack(ARGV))
return redis.call('ZREM', KEYS[2], unpack(ARGV))
`,
}
