-- Fencing (ADR 33), put in front of each script that runs under a leader's term: it is refused if a later term was seen. Each endpoint remembers
-- the latest term that read or wrote it, in a key of its own slot. So the first read of a new leader shuts the old one out, and what the new one
-- read cannot change without its knowledge. Shared keys are written only under the latest term that was given out; in an emptied Redis there is
-- none. Added by `run-script.ts`.
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
