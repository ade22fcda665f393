-- A claim that is void but was not replaced counts like a new one. Returns false where the claim is another reader's or its chunks are gone.
local key = chunksKey(id)
local claim = readClaim(id)
if not claim or claim.token ~= token then return false end
local last = call('LINDEX', key, delivered) or ''
local bytes = weighFirst(key, delivered)
call('LTRIM', key, delivered + 1, -1)
if call('EXISTS', jobKey(id)) == 1 then releaseUnread(id, bytes) elseif bytes > 0 then lightenKept(id, bytes) end
if claim.isAwaited then publish(more) end
return { claim.isAwaited and 1 or 0, last:byte(1) == 64 and last or '' }
