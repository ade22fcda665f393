-- Brings the register of ended jobs up to date. 1: done; 0: call again. Called by `jobs.sweepRegister`.
releaseExpiredDrafts()
-- What no live job and no draft accounts for was left by a version that did not count.
if call('EXISTS', DEADLINES, DRAFTS) == 0 then
  call('HDEL', COUNTERS, 'queueBytes', 'unreadBytes')
  call('DEL', KEY_JOBS)
end
local touched = math.max(dropExpired('async', now, limit), dropExpired('sync', now, limit), forgetGone(now, limit))
return makeRoom(keepBytes, nil, now) and touched < limit and 1 or 0
