-- Claims the first chunks for one reader: the record, the chunks, how many are left, and for how many ms another reader's claim holds them back.
-- While a claim is active other readers get nothing; otherwise they would receive later chunks first. The clock is that of Redis, which all
-- gateways share. Called by `jobs.claimChunks`.
local key = chunksKey(id)
local record = readRecord(id)
if not record then return false end
local now = clock()
local claim = readClaim(id)
if claim and claim.voidAt > now then
  claim.isAwaited = true
  call('LSET', key, 0, writeClaim(claim))
  return { record, {}, call('LLEN', key) - 1, claim.voidAt - now }
end
if claim then call('LPOP', key) end
local chunks = readChunks(id, 0, limit)
local left = call('LLEN', key) - #chunks
if #chunks > 0 then call('LPUSH', key, writeClaim({ token = token, voidAt = now + claimMs })) end
return { record, chunks, left, 0 }
