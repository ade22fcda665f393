-- What the register knows of a job that has ended: status, end, expiry, and why its result is gone; nothing if it knows nothing.
-- Called by `jobs.whyGone`.
local entry = readEntry(id)
return entry and { entry.status, entry.at, string.format('%.0f', entry.expiry), entry.why }
