-- Fencing (ADR 33): a script that runs under a leader's term is refused once a later term was seen. Each endpoint remembers the latest term
-- that read or wrote it, in a key of its own slot: the first read of a new leader shuts the old one out, and what the new one saw cannot change
-- behind its back. Shared keys are written under the latest term that was given out and no other; in a Redis that was emptied there is none.
do
  local fence, term = table.remove(KEYS), table.remove(ARGV)
  local latest = redis.call('GET', fence) or '0'
  local isShared = string.find(fence, '{@}', 1, true)
  if tonumber(term) < tonumber(latest) or (isShared and term ~= latest) then return redis.error_reply(STALE_TERM .. ' ' .. latest) end
  if term ~= latest then
    -- Redis does not refuse this for want of memory, as it would refuse a first SET: a new leader's sweeps make room.
    local left = redis.call('PTTL', fence)
    redis.call('DEL', fence)
    redis.call('SET', fence, term)
    -- The fence of a deleted endpoint expires, also when another process looks once more.
    if left > 0 then redis.call('PEXPIRE', fence, left) end
  end
end
