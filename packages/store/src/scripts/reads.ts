// What is asked about one job or about a queue, each answer one snapshot.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: job → record or nil */
export const READ: Script = { name: 'runyardRead', keys: 1, lua: `${PRELUDE}\nreturn readRecord(ARGV[1])\n` }

/** ARGV: job → the submission (JSON) or nil */
export const READ_SUBMISSION: Script = {
  name: 'runyardReadSubmission',
  keys: 1,
  lua: `${PRELUDE}\nreturn call('HGET', settledKey(ARGV[1]), 'data') or call('HGET', jobKey(ARGV[1]), 'data')\n`,
}

/** ARGV: job, limit → { record, chunks, remaining } or nil; the chunks are gone afterwards */
export const READ_STREAM: Script = {
  name: 'runyardReadStream',
  keys: 1,
  lua: `${PRELUDE}
local id, limit = ARGV[1], tonumber(ARGV[2])
local record = readRecord(id)
if not record then return false end
local chunks = {}
if limit > 0 then
  chunks = call('LRANGE', chunksKey(id), 0, limit - 1)
  if #chunks > 0 then call('LTRIM', chunksKey(id), #chunks, -1) end
end
return { record, chunks, call('LLEN', chunksKey(id)) }
`,
}

/** → { waitingNormal, waitingLow, active, oldest normal, oldest low, completed, failed, retried } */
export const STATS: Script = {
  name: 'runyardStats',
  keys: 1,
  lua: `${PRELUDE}
-- A nil would cut the answer short, false does not.
local function submittedAt(id) return id and call('HGET', jobKey(id), 'timestamp') or false end
local low = call('ZRANGE', q .. ':prioritized', 0, 0)
local counters = call('HMGET', q .. ':r:counters', 'completed', 'failed', 'retried')
return {
  call('LLEN', q .. ':wait'), call('ZCARD', q .. ':prioritized'), call('LLEN', q .. ':active'),
  submittedAt(call('LINDEX', q .. ':wait', -1)), submittedAt(low[1]), counters[1], counters[2], counters[3],
}
`,
}
