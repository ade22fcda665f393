// Worker records and the billing ledger: each change is one atomic script.
import type { Script } from './script.ts'

/** KEYS: worker, workers. ARGV: id, channel, signal, fields… → 1 */
export const CREATE_WORKER: Script = {
  name: 'runyardCreateWorker',
  keys: 2,
  lua: `
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
`,
}

/**
 * KEYS: worker. ARGV: field that must be absent or '', channel or '' for a change that is nobody's news, signal, fields… → 1, or 0 for an
 * unknown worker, which stays unknown, and where that field is set
 */
export const PATCH_WORKER: Script = {
  name: 'runyardPatchWorker',
  keys: 1,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[1] ~= '' and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1
`,
}

/** KEYS: worker → its fields, flat */
export const READ_WORKER: Script = { name: 'runyardReadWorker', keys: 1, lua: `return redis.call('HGETALL', KEYS[1])` }

/** KEYS: worker, workers. ARGV: id, channel, signal → 1, or 0 where there was none */
export const REMOVE_WORKER: Script = {
  name: 'runyardRemoveWorker',
  keys: 2,
  lua: `
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
`,
}

/** KEYS: worker → 1 where the record stands and no reason to end was written into it */
export const MAY_START: Script = {
  name: 'runyardMayStart',
  keys: 1,
  lua: `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return 1 - redis.call('HEXISTS', KEYS[1], 'drainingSince')
`,
}

/** KEYS: status. ARGV: status (JSON) → 'OK' */
export const PUT_STATUS: Script = { name: 'runyardPutStatus', keys: 1, lua: `return redis.call('SET', KEYS[1], ARGV[1])` }

/** KEYS: workers, queue base. ARGV: seconds that the fence stays, keys… → 1; the records of workers go with the keys */
export const REMOVE_KEYS: Script = {
  name: 'runyardRemoveKeys',
  keys: 2,
  lua: `
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', KEYS[2] .. ':w:' .. id) end
redis.call('DEL', unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[2] .. ':r:term', ARGV[1])
return 1
`,
}

/** KEYS: workers, queue base → each worker's fields, flat */
export const LIST_WORKERS: Script = {
  name: 'runyardListWorkers',
  keys: 2,
  lua: `
local workers = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local fields = redis.call('HGETALL', KEYS[2] .. ':w:' .. id)
  if #fields > 0 then workers[#workers + 1] = fields end
end
return workers
`,
}

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

/** KEYS: open, rows. ARGV: from, to → { open rows, closed rows } as one snapshot */
export const LEDGER_ROWS: Script = {
  name: 'runyardLedgerRows',
  keys: 2,
  lua: `return { redis.call('HVALS', KEYS[1]), redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf') }`,
}

/** KEYS: open, totals → { open rows, total fields flat } as one snapshot */
export const LEDGER_TOTALS: Script = {
  name: 'runyardLedgerTotals',
  keys: 2,
  lua: `return { redis.call('HVALS', KEYS[1]), redis.call('HGETALL', KEYS[2]) }`,
}
