-- Reads chunks from a position without removing them: the record, the chunks and how many are left. Called by `jobs.readChunks`.
local record = readRecord(id)
if not record then return false end
local first = from + (readClaim(id) and 1 or 0)
local chunks = readChunks(id, first, limit)
return { record, chunks, math.max(0, call('LLEN', chunksKey(id)) - first - #chunks) }
