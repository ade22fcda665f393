// What is asked about one job or about a queue, each answer one snapshot.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: job → record or nil */
export const READ: Script = { name: 'runyardRead', keys: 1, lua: `${PRELUDE}\nreturn readRecord(ARGV[1])\n` }

/** ARGV: job → who holds it, or did until its lease ran out; nil where no worker does */
export const HOLDER: Script = { name: 'runyardHolder', keys: 1, lua: `${PRELUDE}\nreturn holderOf(ARGV[1])\n` }

/** ARGV: job → the submission (JSON) or nil */
export const READ_SUBMISSION: Script = {
  name: 'runyardReadSubmission',
  keys: 1,
  lua: `${PRELUDE}\nendIfOver(ARGV[1])\nreturn call('HGET', settledKey(ARGV[1]), 'data') or call('HGET', jobKey(ARGV[1]), 'data')\n`,
}

/** Jobs past their deadline that one look ends; those that are left are not counted. */
const EXPIRED_AT_ONCE = 50

/**
 * → { waitingNormal, waitingLow, active, oldest normal, oldest low, oldest suspect, next deadline, completed, failed, retried, ended, keptBytes,
 * webhooksDropped, cancelled, timedOut, expired jobs that are listed }
 */
export const STATS: Script = {
  name: 'runyardStats',
  keys: 1,
  lua: `${PRELUDE}
-- A nil would cut the answer short, false does not.
local function submittedAt(id) return id and call('HGET', jobKey(id), 'timestamp') or false end
local overdue = expireDue(${EXPIRED_AT_ONCE})
local low = call('ZRANGE', q .. ':prioritized', 0, 0)
local suspects = { low = call('ZCOUNT', SUSPECTS, 1e15, '(inf'), normal = call('ZCOUNT', SUSPECTS, '-inf', '(1e15') }
local ended = call('HLEN', q .. ':r:ended')
for _, number in ipairs(call('HKEYS', PURGES)) do
  ended = ended + call('LLEN', purgedKey(number, 'wait')) + call('ZCARD', purgedKey(number, 'low'))
end
local counters = call('HMGET', q .. ':r:counters', 'completed', 'failed', 'retried', 'keptBytes', 'webhooksDropped', 'cancelled', 'timedOut')
return {
  math.max(0, call('LLEN', q .. ':wait') + suspects.normal - overdue), call('ZCARD', q .. ':prioritized') + suspects.low, call('LLEN', q .. ':active'),
  submittedAt(call('LINDEX', q .. ':wait', -1)), submittedAt(low[1]), submittedAt(firstSuspect()),
  call('ZRANGE', DEADLINES, 0, 0, 'WITHSCORES')[2] or false, counters[1], counters[2], counters[3],
  ended, counters[4], counters[5], counters[6], counters[7], call('LLEN', EXPIRED),
}
`,
}

/**
 * ARGV: offset, limit, since when async and sync results are still kept → { total, rows of { id, status, submittedAt, startedAt,
 * settledAt, attempts, worker } }. Waiting jobs, running ones, ended ones, each newest first: a queue is left in the order in which it
 * was entered, so this is newest first but for jobs that overtake.
 */
export const LIST: Script = {
  name: 'runyardList',
  keys: 1,
  lua: `${PRELUDE}
local offset, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local since = { async = ARGV[3], sync = ARGV[4] }
local overdue = expireDue(${EXPIRED_AT_ONCE})
local rows, total, now = {}, 0, clock()

local function add(id)
  local s = call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId', 'status')
  if s[1] then
    rows[#rows + 1] = { id, s[6], s[1], s[2], s[3], s[4], s[5] }
    return
  end
  if isOverdue(id, now) then return end
  local j = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats')
  local holder = call('GET', lockKey(id))
  if j[1] then rows[#rows + 1] = { id, holder and 'IN_PROGRESS' or 'IN_QUEUE', j[1], j[2], false, j[3], holder } end
end
-- One part of the list after another: what lies before the offset is counted, not read.
local function part(length, read)
  local from = math.max(0, offset - total)
  local count = math.min(limit - math.max(0, total - offset), length - from)
  if count > 0 then for _, id in ipairs(read(from, from + count - 1)) do add(id) end end
  total = total + length
end
local function readEnded(from, to)
  local ids, at = {}, {}
  local lists = {}
  for _, kind in ipairs({ 'async', 'sync' }) do
    lists[#lists + 1] = call('ZREVRANGEBYSCORE', keptKey(kind), '+inf', '(' .. since[kind], 'WITHSCORES', 'LIMIT', 0, to + 1)
    at[#at + 1] = 1
  end
  for n = 0, to do
    local a, s = lists[1][at[1] + 1], lists[2][at[2] + 1]
    local of = (a and (not s or tonumber(a) >= tonumber(s))) and 1 or 2
    if n >= from then ids[#ids + 1] = lists[of][at[of]] end
    at[of] = at[of] + 2
  end
  return ids
end

local suspects = waitingSuspects()
part(#suspects, function(from, to) return { unpack(suspects, from + 1, to + 1) } end)
part(call('ZCARD', q .. ':prioritized'), function(from, to) return call('ZREVRANGE', q .. ':prioritized', from, to) end)
part(call('LLEN', q .. ':wait'), function(from, to) return call('LRANGE', q .. ':wait', from, to) end)
part(call('LLEN', q .. ':active'), function(from, to) return call('LRANGE', q .. ':active', from, to) end)
part(call('ZCOUNT', keptKey('async'), '(' .. since.async, '+inf') + call('ZCOUNT', keptKey('sync'), '(' .. since.sync, '+inf'), readEnded)
return { total - overdue, rows }
`,
}
