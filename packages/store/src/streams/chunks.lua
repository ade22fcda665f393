-- The chunks of a job's stream, for the scripts that read them. A list whose first element may be a claim: `!<token> <void at>`, with `+` if
-- another reader waits.

-- The weight of one reply, give or take a chunk.
local READ_BYTES = 32 * 1024 * 1024
local READ_AT_ONCE = 32

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
  for from = 1, count, READ_AT_ONCE do
    for _, chunk in ipairs(call('LRANGE', key, from, math.min(from + READ_AT_ONCE - 1, count))) do bytes = bytes + weighChunk(#chunk) end
  end
  return bytes
end
-- The last one read is a large chunk, which is in the blob store, or the one that reaches the weight of a reply: hundreds of large ones would be more
-- than a process can hold. The first is always read.
local function readChunks(id, from, limit)
  local chunks, bytes = {}, 0
  while #chunks < limit do
    local at = from + #chunks
    local some = call('LRANGE', chunksKey(id), at, at + math.min(READ_AT_ONCE, limit - #chunks) - 1)
    for _, chunk in ipairs(some) do
      chunks[#chunks + 1] = chunk
      bytes = bytes + #chunk
      if chunk:byte(1) == 64 or bytes >= READ_BYTES then return chunks end
    end
    if #some == 0 then return chunks end
  end
  return chunks
end
