// The chunks of a job (`c:<job>`, a list). A reader of `/stream` claims the first of them for its answer and concludes the claim with how many
// it told: those are gone then, the others are next again. The claim stands in the list itself, before the chunks, so whatever ends or keeps the
// list (a new attempt, a retry, retention) ends or keeps the claim with it. It begins as no JSON text and no blob's name does:
// "!token voidAt", with a "+" once somebody else waits for it.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** What one answer may weigh, give or take a chunk. */
const READ_BYTES = 32 * 1024 * 1024
const READ_AT_ONCE = 32

const CHUNKS = `
local function readClaim(id)
  local head = call('LINDEX', chunksKey(id), 0)
  if not head or head:byte(1) ~= 33 then return nil end
  local token, voidAt, awaited = head:match('^!(%S+) (%d+)(%+?)$')
  return { token = token, voidAt = tonumber(voidAt), isAwaited = awaited == '+' }
end
local function writeClaim(claim)
  return '!' .. claim.token .. ' ' .. string.format('%.0f', claim.voidAt) .. (claim.isAwaited and '+' or '')
end
-- What the first chunks behind a claim weigh.
local function weighFirst(key, count)
  local bytes = 0
  for from = 1, count, ${READ_AT_ONCE} do
    for _, chunk in ipairs(call('LRANGE', key, from, math.min(from + ${READ_AT_ONCE} - 1, count))) do bytes = bytes + weighChunk(#chunk) end
  end
  return bytes
end
-- A large one, which is in the blob store, ends what is read, and so does the weight of the small ones: hundreds of large ones would be more than a process
-- can hold. The first is always read.
local function readChunks(id, from, limit)
  local chunks, bytes = {}, 0
  while #chunks < limit do
    local at = from + #chunks
    local some = call('LRANGE', chunksKey(id), at, at + math.min(${READ_AT_ONCE}, limit - #chunks) - 1)
    for _, chunk in ipairs(some) do
      chunks[#chunks + 1] = chunk
      bytes = bytes + #chunk
      if chunk:byte(1) == 64 or bytes >= ${READ_BYTES} then return chunks end
    end
    if #some == 0 then return chunks end
  end
  return chunks
end
`

/**
 * ARGV: job, limit, token, claimMs → { record, chunks, how many are left, ms until somebody else's claim is void or 0 } or nil. While that
 * stands there is nothing for others, or they would be told what comes after it first. By the clock of Redis, which all gateways share.
 */
export const CLAIM_CHUNKS: Script = {
  name: 'runyardClaimChunks',
  keys: 1,
  lua: `${PRELUDE}${CHUNKS}
local id, key = ARGV[1], chunksKey(ARGV[1])
local record = readRecord(id)
if not record then return false end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local claim = readClaim(id)
if claim and claim.voidAt > now then
  claim.isAwaited = true
  call('LSET', key, 0, writeClaim(claim))
  return { record, {}, call('LLEN', key) - 1, claim.voidAt - now }
end
if claim then call('LPOP', key) end
local chunks = readChunks(id, 0, tonumber(ARGV[2]))
local left = call('LLEN', key) - #chunks
if #chunks > 0 then call('LPUSH', key, writeClaim({ token = ARGV[3], voidAt = now + ARGV[4] })) end
return { record, chunks, left, 0 }
`,
}

/**
 * ARGV: job, token, how many were told, channel, signal → { whether somebody was told to look again, the last that was told where it is a
 * blob's name or '' } or nil where the claim is another's or its chunks are no more. A claim that is void but was not replaced is as good as new.
 */
export const CONCLUDE_CLAIM: Script = {
  name: 'runyardConcludeClaim',
  keys: 1,
  lua: `${PRELUDE}${CHUNKS}
local key, told = chunksKey(ARGV[1]), tonumber(ARGV[3])
local claim = readClaim(ARGV[1])
if not claim or claim.token ~= ARGV[2] then return false end
local last = call('LINDEX', key, told) or ''
local bytes = weighFirst(key, told)
call('LTRIM', key, told + 1, -1)
if call('EXISTS', jobKey(ARGV[1])) == 1 then releaseUnread(ARGV[1], bytes) elseif bytes > 0 then lightenKept(ARGV[1], bytes) end
if claim.isAwaited then call('PUBLISH', ARGV[4], ARGV[5]) end
return { claim.isAwaited and 1 or 0, last:byte(1) == 64 and last or '' }
`,
}

/** ARGV: job, from, limit → { record, chunks, remaining } or nil; the chunks stay */
export const READ_CHUNKS: Script = {
  name: 'runyardReadChunks',
  keys: 1,
  lua: `${PRELUDE}${CHUNKS}
local id, limit = ARGV[1], tonumber(ARGV[3])
local record = readRecord(id)
if not record then return false end
local from = ARGV[2] + (readClaim(id) and 1 or 0)
local chunks = readChunks(id, from, limit)
return { record, chunks, math.max(0, call('LLEN', chunksKey(id)) - from - #chunks) }
`,
}
