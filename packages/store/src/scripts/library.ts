// Endpoints and templates: each change is one atomic script. `revision` grows with each write of either, so that a decision on the whole
// library is refused when anything in it changed meanwhile.
import type { Script } from './script.ts'

/**
 * KEYS: records, names, bound templates, deleted, templates, revision. ARGV: id, expected record ('' = none), new record, old name, new name,
 * old bound template, new bound template, template that must be unchanged ('' = none), its expected record ('' = none).
 * → 'stored' | 'stale' (somebody else wrote first) | 'taken' (another endpoint has that name)
 */
export const UPSERT_ENDPOINT: Script = {
  name: 'runyardUpsertEndpoint',
  keys: 6,
  lua: `
local call = redis.call
local id = ARGV[1]
if (call('HGET', KEYS[1], id) or '') ~= ARGV[2] then return 'stale' end
if ARGV[8] ~= '' and (call('HGET', KEYS[5], ARGV[8]) or '') ~= ARGV[9] then return 'stale' end
local owner = call('HGET', KEYS[2], ARGV[5])
if owner and owner ~= id then return 'taken' end
if ARGV[4] ~= '' then call('HDEL', KEYS[2], ARGV[4]) end
if ARGV[6] ~= '' then call('HDEL', KEYS[3], ARGV[6]) end
call('HSET', KEYS[1], id, ARGV[3])
call('HSET', KEYS[2], ARGV[5], id)
call('HSET', KEYS[3], ARGV[7], id)
call('SREM', KEYS[4], id)
call('INCR', KEYS[6])
return 'stored'
`,
}

/** KEYS: records, names. ARGV: name → { id, record } or nil */
export const FIND_ENDPOINT: Script = {
  name: 'runyardFindEndpoint',
  keys: 2,
  lua: `
local id = redis.call('HGET', KEYS[2], ARGV[1])
return id and redis.call('HGET', KEYS[1], id)
`,
}

/** KEYS: records, names, bound templates, deleted, revision. ARGV: id, expected record, name, bound template → 1, or 0 if somebody else wrote first */
export const DELETE_ENDPOINT: Script = {
  name: 'runyardDeleteEndpoint',
  keys: 5,
  lua: `
local call = redis.call
if call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
call('HDEL', KEYS[1], ARGV[1])
call('HDEL', KEYS[2], ARGV[3])
call('HDEL', KEYS[3], ARGV[4])
call('SADD', KEYS[4], ARGV[1])
call('INCR', KEYS[5])
return 1
`,
}

/** KEYS: templates, endpoint records, revision → { revision, templates, endpoints } as one snapshot */
export const READ_LIBRARY: Script = {
  name: 'runyardReadLibrary',
  keys: 3,
  lua: `return { redis.call('GET', KEYS[3]) or '0', redis.call('HVALS', KEYS[1]), redis.call('HVALS', KEYS[2]) }`,
}

/**
 * KEYS: templates, endpoint records, revision. ARGV: expected revision, template, its record ('' = remove it), then id and record of each
 * endpoint that changes with it → 1, or 0 if somebody else wrote first
 */
export const WRITE_TEMPLATE: Script = {
  name: 'runyardWriteTemplate',
  keys: 3,
  lua: `
local call = redis.call
if (call('GET', KEYS[3]) or '0') ~= ARGV[1] then return 0 end
if ARGV[3] == '' then call('HDEL', KEYS[1], ARGV[2]) else call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
for i = 4, #ARGV, 2 do call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
call('INCR', KEYS[3])
return 1
`,
}
