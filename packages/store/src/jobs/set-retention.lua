if isSettled(id) then keepFor(id, ttlMs, now) end
