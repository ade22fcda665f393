// API keys. Each change is one step with the word of it: whoever remembers keys forgets them, also where the writer dies a moment later.
import type { Script } from './script.ts'

/** KEYS: records, hashes. ARGV: id, record, hash, channel, signal → 1, or 0 where that key exists already */
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

/** KEYS: records, hashes. ARGV: id, hash, channel, signal */
export const REVOKE_KEY: Script = {
  name: 'runyardRevokeKey',
  keys: 2,
  lua: `
local call = redis.call
call('HDEL', KEYS[2], ARGV[2])
call('HDEL', KEYS[1], ARGV[1])
call('PUBLISH', ARGV[3], ARGV[4])
return 1
`,
}
