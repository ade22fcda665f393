// How a job ends: by its worker's result or by force.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: job, worker, end (8), channel, signal → the record without its outcome, or the SettleResult that says why not */
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
call('PUBLISH', ARGV[11], ARGV[12])
return { 'settled', unpack(call('HMGET', settledKey(id), 'submittedAt', 'startedAt', 'settledAt', 'attempts', 'workerId')) }
`,
}

/** ARGV: job, end (8), channel, signal → { result, holder or '', record } */
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
call('PUBLISH', ARGV[10], ARGV[11])
return { 'settled', holder, readRecord(id) }
`,
}
