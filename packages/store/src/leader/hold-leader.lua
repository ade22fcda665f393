-- Takes or renews the leader's lease. `held` with the term, or `others` with the facts of the holder and the ms that are left.
-- A process whose own lease has run out keeps its term if no later one was given. Terms are times, so that they grow even if Redis was emptied or
-- restored. The first write of a script decides whether Redis refuses it for lack of memory. Here it is a DEL, which is never refused, since the
-- leader's sweeps are what makes room. Called by `leader.hold`.
local owner, term, facts = unpack(call('HMGET', lease, 'owner', 'term', 'facts'))
if owner and owner ~= candidate then return { 'others', facts, call('PTTL', lease), owner } end
if not owner then
  call('DEL', lease)
  local latest, time = tonumber(call('GET', latestTerm) or '0'), call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local isOwn = latest > 0 and latest == ownTerm
  term = string.format('%.0f', isOwn and latest or math.max(latest + 1, now))
  call('HSET', lease, 'owner', candidate, 'term', term, 'facts', ownFacts)
  call('SET', latestTerm, term)
end
call('PEXPIRE', lease, ttlMs)
return { 'held', term }
