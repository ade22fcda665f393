-- Sets for how long an ended job is kept from now on. Called by `jobs.setRetention`.
if isSettled(id) then keepFor(id, ttlMs, now) end
