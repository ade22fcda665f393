// API keys. Each change is one step with the word of it: whoever remembers keys forgets them, also where the writer dies a moment later.
// A revoked key's hash stays behind with an empty id, so that no key file and no import brings it back.
import type { Script } from './script.ts'

/** KEYS: records, hashes. ARGV: id, record, hash, channel, signal → 1, or 0 where that key exists already or was revoked */
export const CREATE_KEY: Script = {
  name: 'runyardCreateKey',
  keys: 2,
  lua: `
local call = redis.call
if call('HSETNX', KEYS[2], ARGV[3], ARGV[1]) == 0 then return 0 end
call('HSET', KEYS[1], ARGV[1], ARGV[2])
call('PUBLISH', ARGV[4], ARGV[5])
return 1
`,
}

/** KEYS: records, hashes, uses. ARGV: id, hash, channel, signal */
export const REVOKE_KEY: Script = {
  name: 'runyardRevokeKey',
  keys: 3,
  lua: `
local call = redis.call
call('HSET', KEYS[2], ARGV[2], '')
call('HDEL', KEYS[1], ARGV[1])
call('HDEL', KEYS[3], ARGV[1])
call('PUBLISH', ARGV[3], ARGV[4])
return 1
`,
}

/** KEYS: records, hashes. ARGV: id, old record, new record, old hash, new hash, channel, signal → 1, or 0 where the record is another by now */
export const ROTATE_KEY: Script = {
  name: 'runyardRotateKey',
  keys: 2,
  lua: `
local call = redis.call
if call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if call('HSETNX', KEYS[2], ARGV[5], ARGV[1]) == 0 then return 0 end
call('HSET', KEYS[2], ARGV[4], '')
call('HSET', KEYS[1], ARGV[1], ARGV[3])
call('PUBLISH', ARGV[6], ARGV[7])
return 1
`,
}

/**
 * The key of a slot (a key file): where the file's key is another now, the one before goes, unless another slot has it too.
 * KEYS: records, hashes, uses, slots. ARGV: slot, id, record, hash, whether a slot that has a key keeps it ('1'), channel, signal → 1, or 0 where
 * that key was revoked
 */
export const INSTALL_KEY: Script = {
  name: 'runyardInstallKey',
  keys: 4,
  lua: `
local call = redis.call
local known = call('HGET', KEYS[2], ARGV[4])
if known and call('HEXISTS', KEYS[1], known) == 0 then return 0 end
local before = call('HGET', KEYS[4], ARGV[1])
local id = known or ARGV[2]
if before == id or (before and ARGV[5] == '1') then return 1 end
call('HSET', KEYS[2], ARGV[4], id)
if not known then call('HSET', KEYS[1], id, ARGV[3]) end
call('HSET', KEYS[4], ARGV[1], id)
local others = {}
for _, other in ipairs(call('HVALS', KEYS[4])) do others[other] = true end
local stored = before and not others[before] and call('HGET', KEYS[1], before)
if stored then
  call('HDEL', KEYS[2], cjson.decode(stored).hash)
  call('HDEL', KEYS[1], before)
  call('HDEL', KEYS[3], before)
end
call('PUBLISH', ARGV[6], ARGV[7])
return 1
`,
}

/** KEYS: records, uses. ARGV: id, time, id, time … Of keys that are gone nothing is written. */
export const NOTE_USES: Script = {
  name: 'runyardNoteKeyUses',
  keys: 2,
  lua: `
local call = redis.call
for index = 1, #ARGV, 2 do
  if call('HEXISTS', KEYS[1], ARGV[index]) == 1 then
    local before = tonumber(call('HGET', KEYS[2], ARGV[index]) or 0)
    if tonumber(ARGV[index + 1]) > before then call('HSET', KEYS[2], ARGV[index], ARGV[index + 1]) end
  end
end
return 1
`,
}
