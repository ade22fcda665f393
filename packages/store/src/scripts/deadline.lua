-- Put in front of each script that gives something to its caller (ADR 31). A Redis that hung runs what it had received by then, though the connection
-- is closed and the caller has failed: such a script does nothing. The error carries the time, for a caller that still waits and has another clock.
-- Added by `run-script.ts`.
do
  local awaitedUntil, time = tonumber(table.remove(ARGV)), redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if now > awaitedUntil then return redis.error_reply(TOO_LATE .. ' ' .. now) end
end
