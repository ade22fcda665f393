// A purge takes the whole queue out of reach in one step, however long it is, and says so at once; the ends of its jobs are written by and by,
// by whoever comes first: the steps that follow it, or a script that asks about one of them.
// A job notes how many purges its queue had seen when it came. Every purge takes all that wait, so a job that waits and knows fewer
// purges than there were has been purged.
// r:purges (number of a purge → how its jobs end, until all have)   r:purged:<number>:wait, r:purged:<number>:low (jobs without an end)
// r:counters purges
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: end (8), channel, signal → how many jobs waited; none of them does any more */
export const PURGE: Script = {
  name: 'runyardPurge',
  keys: 1,
  lua: `${PRELUDE}
for _, id in ipairs(waitingSuspects()) do
  call('LPUSH', q .. ':wait', id)
  forgetSuspect(id)
end
local waiting, low = call('LLEN', q .. ':wait'), call('ZCARD', q .. ':prioritized')
if waiting + low == 0 then return 0 end
local number = call('HINCRBY', q .. ':r:counters', 'purges', 1)
call('HSET', PURGES, number, cjson.encode(readEnd(1)))
if waiting > 0 then call('RENAME', q .. ':wait', purgedKey(number, 'wait')) end
if low > 0 then call('RENAME', q .. ':prioritized', purgedKey(number, 'low')) end
call('PUBLISH', ARGV[9], ARGV[10])
return waiting + low
`,
}

/** ARGV: limit → 1, or 0 where more purged jobs are without an end. Writes up to `limit` of them, the oldest first. */
export const END_PURGED: Script = {
  name: 'runyardEndPurged',
  keys: 1,
  lua: `${PRELUDE}
local limit = tonumber(ARGV[1])
local number = call('HKEYS', PURGES)[1]
if not number then return 1 end
local wait, low = purgedKey(number, 'wait'), purgedKey(number, 'low')
local ids = call('LRANGE', wait, -limit, -1)
if #ids > 0 then call('LTRIM', wait, 0, -#ids - 1) end
for at, member in ipairs(#ids < limit and call('ZPOPMIN', low, limit - #ids) or {}) do
  if at % 2 == 1 then ids[#ids + 1] = member end
end
endPurged(ids, cjson.decode(call('HGET', PURGES, number)))
if call('EXISTS', wait, low) == 0 then call('HDEL', PURGES, number) end
return call('EXISTS', PURGES) == 0 and 1 or 0
`,
}
