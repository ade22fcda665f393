// A worker's log: a list of its newest lines, and beside it how many lines there ever were and what the kept ones weigh. So a reader that
// knows how far it got asks only for what is new, and the list is bounded by lines and by bytes. Whoever follows a log leaves a mark that
// expires; lines are announced only where there is one.
import type { Script } from './script.ts'

/** KEYS: lines, count, mark of followers. ARGV: most lines, most bytes, seconds to keep, channel, signal, lines… → 1 where it was announced, else 0 */
export const APPEND_LOG: Script = {
  name: 'runyardAppendLog',
  keys: 3,
  lua: `
local lines, count = KEYS[1], KEYS[2]
if redis.call('EXISTS', lines) == 0 then redis.call('HDEL', count, 'bytes') end
local bytes = tonumber(redis.call('HGET', count, 'bytes') or '0')
for at = 6, #ARGV do
  redis.call('RPUSH', lines, ARGV[at])
  bytes = bytes + #ARGV[at]
end
redis.call('HINCRBY', count, 'ever', #ARGV - 5)
local kept = redis.call('LLEN', lines)
while kept > tonumber(ARGV[1]) or (bytes > tonumber(ARGV[2]) and kept > 1) do
  bytes = bytes - #redis.call('LPOP', lines)
  kept = kept - 1
end
redis.call('HSET', count, 'bytes', bytes)
redis.call('EXPIRE', lines, ARGV[3])
redis.call('EXPIRE', count, ARGV[3])
if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
`,
}

/**
 * KEYS: lines, count. ARGV: how many lines the reader has had, or '' for the newest ones, most lines → how many there ever were, number of
 * the first line returned, the lines. A log that was begun anew is read from its start.
 */
export const READ_LOG: Script = {
  name: 'runyardReadLog',
  keys: 2,
  lua: `
local ever = tonumber(redis.call('HGET', KEYS[2], 'ever') or '0')
local had, most = tonumber(ARGV[1]), tonumber(ARGV[2])
if had == ever then return {ever, ever, {}} end
local kept = redis.call('LLEN', KEYS[1])
local first = math.max(0, kept - most)
if had and had <= ever then first = math.max(0, kept - (ever - had)) end
return {ever, ever - kept + first, redis.call('LRANGE', KEYS[1], first, first + most - 1)}
`,
}
