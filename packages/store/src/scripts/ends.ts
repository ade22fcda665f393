// How a job ends: by its worker's result, or by force.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: job, worker, now, status, outcome, asyncMs, syncMs, channel, signal → SettleResult */
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
if not settleJob(id, worker, { now = ARGV[3], status = ARGV[4], outcome = ARGV[5], asyncMs = ARGV[6], syncMs = ARGV[7] }) then
  return 'not_holder'
end
call('PUBLISH', ARGV[8], ARGV[9])
return 'settled'
`,
}

/** ARGV: job, now, status, outcome, asyncMs, syncMs, channel, signal → { result, holder or '', record } */
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
if not settleJob(id, holder, { now = ARGV[2], status = ARGV[3], outcome = ARGV[4], asyncMs = ARGV[5], syncMs = ARGV[6] }) then
  return { 'unknown', '', false }
end
call('PUBLISH', ARGV[7], ARGV[8])
return { 'settled', holder, readRecord(id) }
`,
}
