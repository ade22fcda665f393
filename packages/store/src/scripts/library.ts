// Endpoints, templates and registries: each change is one atomic script, which also tells of it. `revision` grows with each write of any, so that a decision on the whole
// library is refused when anything in it changed meanwhile.
import type { Script } from './script.ts'

/**
 * KEYS: records, names, bound templates, deleted, templates, registries, revision. ARGV: id, expected record ('' = none), new record, old name,
 * new name, old bound template, new bound template, template that must be unchanged ('' = none), its expected record ('' = none), registry that
 * must be there ('' = none), channel, signal, revision that must still be ('' = any), how the names of its owner begin, how many endpoints the owner
 * may have ('' = any number). → 'stored' | 'stale' (somebody else wrote first) | 'taken' (another endpoint has that name) | 'unregistered' | 'full'
 */
export const UPSERT_ENDPOINT: Script = {
  name: 'runyardUpsertEndpoint',
  keys: 7,
  lua: `
local call = redis.call
local id = ARGV[1]
if (call('HGET', KEYS[1], id) or '') ~= ARGV[2] then return 'stale' end
if ARGV[8] ~= '' and (call('HGET', KEYS[5], ARGV[8]) or '') ~= ARGV[9] then return 'stale' end
if ARGV[10] ~= '' and call('HEXISTS', KEYS[6], ARGV[10]) == 0 then return 'unregistered' end
local owner = call('HGET', KEYS[2], ARGV[5])
if owner and owner ~= id then return 'taken' end
if ARGV[13] ~= '' and (call('GET', KEYS[7]) or '0') ~= ARGV[13] then return 'stale' end
if ARGV[2] == '' and ARGV[15] ~= '' then
  local count = 0
  for _, name in ipairs(call('HKEYS', KEYS[2])) do
    if string.sub(name, 1, #ARGV[14]) == ARGV[14] then count = count + 1 end
  end
  if count >= tonumber(ARGV[15]) then return 'full' end
end
if ARGV[4] ~= '' then call('HDEL', KEYS[2], ARGV[4]) end
if ARGV[6] ~= '' then call('HDEL', KEYS[3], ARGV[6]) end
call('HSET', KEYS[1], id, ARGV[3])
call('HSET', KEYS[2], ARGV[5], id)
call('HSET', KEYS[3], ARGV[7], id)
call('SREM', KEYS[4], id)
call('INCR', KEYS[7])
call('PUBLISH', ARGV[11], ARGV[12])
return 'stored'
`,
}

/** KEYS: records, names. ARGV: name → the record of that name or nil */
export const FIND_ENDPOINT: Script = {
  name: 'runyardFindEndpoint',
  keys: 2,
  lua: `
local id = redis.call('HGET', KEYS[2], ARGV[1])
return id and redis.call('HGET', KEYS[1], id)
`,
}

/**
 * KEYS: records, names, bound templates, deleted, revision, owners of those that are gone, since when. ARGV: id, expected record, name, bound template,
 * owner, channel, signal, now → 1, or 0 if somebody else wrote first
 */
export const DELETE_ENDPOINT: Script = {
  name: 'runyardDeleteEndpoint',
  keys: 7,
  lua: `
local call = redis.call
if call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
call('HDEL', KEYS[1], ARGV[1])
call('HDEL', KEYS[2], ARGV[3])
call('HDEL', KEYS[3], ARGV[4])
call('SADD', KEYS[4], ARGV[1])
call('HSET', KEYS[6], ARGV[1], ARGV[5])
call('ZADD', KEYS[7], ARGV[8], ARGV[1])
call('INCR', KEYS[5])
call('PUBLISH', ARGV[6], ARGV[7])
return 1
`,
}

/** Lua: `named(names, records, prefix)` the records of the endpoints whose names begin so; `having(key, text)` the values of a hash that contain it ('' = all) */
const OWNED = `
local function named(names, records, prefix)
  local found = {}
  local all = redis.call('HGETALL', names)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, #prefix) == prefix then
      local record = redis.call('HGET', records, all[i + 1])
      if record then found[#found + 1] = record end
    end
  end
  return found
end
local function having(key, text)
  local found = {}
  for _, value in ipairs(redis.call('HVALS', key)) do
    if text == '' or string.find(value, text, 1, true) then found[#found + 1] = value end
  end
  return found
end
`

/** KEYS: revision, records. ARGV: a revision that is known → { revision } where it is still that one, else { revision, records } */
export const LIST_ENDPOINTS: Script = {
  name: 'runyardListEndpoints',
  keys: 2,
  lua: `
local revision = redis.call('GET', KEYS[1]) or '0'
if revision == ARGV[1] then return { revision } end
return { revision, redis.call('HVALS', KEYS[2]) }
`,
}

/** KEYS: revision, names, records. ARGV: how the names of an owner begin → { revision, the owner's records } */
export const LIST_OWNED_ENDPOINTS: Script = {
  name: 'runyardListOwnedEndpoints',
  keys: 3,
  lua: `${OWNED}
return { redis.call('GET', KEYS[1]) or '0', named(KEYS[2], KEYS[3], ARGV[1]) }
`,
}

/** KEYS: a hash. ARGV: what its values are to contain → those values */
export const LIST_HAVING: Script = {
  name: 'runyardListHaving',
  keys: 1,
  lua: `${OWNED}
return having(KEYS[1], ARGV[1])
`,
}

/**
 * KEYS: revision, templates, endpoint records, registries, endpoint names. ARGV: how the names of an owner's endpoints begin, what the owner's
 * templates and registries contain, or '' and '' for everybody's → { revision, templates, endpoints, registries } as one snapshot
 */
export const READ_LIBRARY: Script = {
  name: 'runyardReadLibrary',
  keys: 5,
  lua: `${OWNED}
local endpoints = ARGV[1] == '' and redis.call('HVALS', KEYS[3]) or named(KEYS[5], KEYS[3], ARGV[1])
return { redis.call('GET', KEYS[1]) or '0', having(KEYS[2], ARGV[2]), endpoints, having(KEYS[4], ARGV[2]) }
`,
}

/**
 * KEYS: revision, templates, endpoint records, registries. ARGV: expected revision, channel, how many signals, these, then for each write the number of its key, the field, and
 * the record ('' = remove it) → 1, or 0 if somebody else wrote first
 */
export const WRITE_LIBRARY: Script = {
  name: 'runyardWriteLibrary',
  keys: 4,
  lua: `
local call = redis.call
if (call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
local writes = 4 + tonumber(ARGV[3])
for i = writes, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 2] == '' then call('HDEL', key, ARGV[i + 1]) else call('HSET', key, ARGV[i + 1], ARGV[i + 2]) end
end
call('INCR', KEYS[1])
for i = 4, writes - 1 do call('PUBLISH', ARGV[2], ARGV[i]) end
return 1
`,
}
