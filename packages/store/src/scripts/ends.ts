// How a job ends: by its worker's result, by force, or in a purge of the queue.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: job, worker, end (6), channel, signal → the record without its outcome, or the SettleResult that says why not */
export const SETTLE: Script = {
  name: 'runyardSettle',
  keys: 1,
  lua: `${PRELUDE}
local id, worker = ARGV[1], ARGV[2]
local isHolder = holderOf(id) == worker
if isSettled(id) then
  if isHolder then dropJob(id) end
  return 'already_settled'
end
if not isHolder then return 'not_holder' end
if not settleJob(id, worker, readEnd(3)) then return 'not_holder' end
call('PUBLISH', ARGV[9], ARGV[10])
return { 'settled', unpack(call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId')) }
`,
}

/** ARGV: job, end (6), channel, signal → { result, holder or '', record } */
export const FORCE_SETTLE: Script = {
  name: 'runyardForceSettle',
  keys: 1,
  lua: `${PRELUDE}
local id = ARGV[1]
if isSettled(id) then
  if call('EXISTS', jobKey(id)) == 1 then dropJob(id) end
  return { 'already_settled', '', readRecord(id) }
end
local holder = holderOf(id) or ''
if not settleJob(id, holder, readEnd(2)) then return { 'unknown', '', false } end
call('PUBLISH', ARGV[8], ARGV[9])
return { 'settled', holder, readRecord(id) }
`,
}

/**
 * ARGV: limit, end (6), channel, signal → { purged, still waiting }. Ends up to `limit` waiting jobs, the oldest first: what is submitted
 * meanwhile comes last. No webhook is told of these (client-api §5.8).
 */
export const PURGE: Script = {
  name: 'runyardPurge',
  keys: 1,
  lua: `${PRELUDE}
local limit = tonumber(ARGV[1])
local end_ = readEnd(2)
local ids = call('LRANGE', q .. ':wait', -limit, -1)
if #ids > 0 then call('LTRIM', q .. ':wait', 0, -#ids - 1) end
for at, member in ipairs(#ids < limit and call('ZPOPMIN', q .. ':prioritized', limit - #ids) or {}) do
  if at % 2 == 1 then ids[#ids + 1] = member end
end
local jobs, purged = {}, { async = {}, sync = {} }
for at, id in ipairs(ids) do
  jobs[at] = jobKey(id)
  local job = call('HMGET', jobs[at], 'name', 'timestamp', 'ats')
  if job[2] then
    local outcome = { 'settledAt', end_.now, 'status', end_.status, 'outcome', end_.outcome, 'workerId', '' }
    call('HSET', settledKey(id), 'submittedAt', job[2], 'attempts', job[3] or '0', unpack(outcome))
    call('PEXPIRE', settledKey(id), job[1] == 'sync' and end_.syncMs or end_.asyncMs)
    table.insert(purged[job[1]], id)
  end
end
for kind, ended in pairs(purged) do registerEnds(ended, kind, end_, #end_.outcome) end
if #ids > 0 then
  call('UNLINK', unpack(jobs))
  call('ZREM', q .. ':r:deadlines', unpack(ids))
end
if #ids > 0 then call('PUBLISH', ARGV[8], ARGV[9]) end
return { #ids, call('LLEN', q .. ':wait') + call('ZCARD', q .. ':prioritized') }
`,
}
