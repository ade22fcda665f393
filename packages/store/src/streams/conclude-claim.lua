-- Deletes the delivered chunks of a claim; the rest is available again. Replies whether another reader waits, and the last chunk if it is a
-- blob. A claim that has expired but was not replaced still counts. False: another reader has the claim, or its chunks are gone.
-- Called by the claim's `conclude`.
local key = chunksKey(id)
local claim = readClaim(id)
if not claim or claim.token ~= token then return false end
local last = call('LINDEX', key, delivered) or ''
local bytes = weighFirst(key, delivered)
call('LTRIM', key, delivered + 1, -1)
if call('EXISTS', jobKey(id)) == 1 then releaseUnread(id, bytes) elseif bytes > 0 then lightenKept(id, bytes) end
if claim.isAwaited then publish(more) end
return { claim.isAwaited and 1 or 0, last:byte(1) == 64 and last or '' }
