// Worker records, and what goes with an endpoint: each change is one atomic script.
import type { Script } from './script.ts'

/** KEYS: worker, workers, mark of a forgotten endpoint. ARGV: id, channel, signal, fields… → 1, or 0 where the endpoint was forgotten */
export const CREATE_WORKER: Script = {
  name: 'runyardCreateWorker',
  keys: 3,
  lua: `
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
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

/** KEYS: status, mark of a forgotten endpoint. ARGV: status (JSON) → 'OK', or nil where the endpoint was forgotten */
export const PUT_STATUS: Script = {
  name: 'runyardPutStatus',
  keys: 2,
  lua: `
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
return redis.call('SET', KEYS[1], ARGV[1])
`,
}

/** KEYS: events, mark of a forgotten endpoint. ARGV: how many are kept, events (JSON)… → how many there are, or nil where the endpoint was forgotten */
export const APPEND_EVENTS: Script = {
  name: 'runyardAppendEvents',
  keys: 2,
  lua: `
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
for at = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[at]) end
redis.call('LTRIM', KEYS[1], -ARGV[1], -1)
return redis.call('LLEN', KEYS[1])
`,
}

/**
 * KEYS: workers, queue base, mark of a forgotten endpoint. ARGV: seconds that the fence and the mark stay, keys… → 1; the records of workers and the batches go with the keys,
 * and what comes later is refused
 */
export const REMOVE_KEYS: Script = {
  name: 'runyardRemoveKeys',
  keys: 3,
  lua: `
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', KEYS[2] .. ':w:' .. id) end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2] .. ':r:batches', 0, -1)) do
  local batch = KEYS[2] .. ':b:' .. id
  redis.call('UNLINK', batch, batch .. ':ids', batch .. ':drafts')
end
redis.call('DEL', unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[2] .. ':r:term', ARGV[1])
redis.call('SET', KEYS[3], '1', 'EX', ARGV[1])
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
