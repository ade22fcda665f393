-- A process whose own lease has run out keeps its term where no later one was given. Terms are times, so that they also grow over a Redis that
-- was emptied or restored. The first write of a script decides whether Redis refuses it for want of memory: here it is a DEL, which never is,
-- since the leader's sweeps are what makes room.
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
