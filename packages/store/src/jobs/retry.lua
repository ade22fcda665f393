-- Gives a failed or timed-out job a new life under the same id. `retried`, the reason of a refusal, or the status that does not allow it.
-- A worker that held the job before may still report that result, with a lock token that would be the same. So it is noted in `notFor` and never
-- gets the job again. Called by `jobs.retry`.
endIfOver(id)
local old = call('HMGET', settledKey(id), 'status', 'name', 'data', 'opts', 'priority', 'pb')
if not old[1] then
  if call('EXISTS', jobKey(id)) == 0 then return 'unknown' end
  return call('EXISTS', lockKey(id)) == 1 and 'IN_PROGRESS' or 'IN_QUEUE'
end
if old[1] ~= 'FAILED' and old[1] ~= 'TIMED_OUT' then return old[1] end
if not old[3] or old[3] == '' then return 'gone' end
local refused = noRoomFor(1, weigh({ data = old[3], opts = old[4] }), queueJobs, queueBytes)
if refused then return refused end
if isKeyFull(key, 1, keyJobs) then return 'key_full' end
local opts = cjson.decode(old[4])
if old[6] and old[6] ~= '' then
  opts.notFor = opts.notFor or {}
  opts.notFor[#opts.notFor + 1] = old[6]
end
unregister(id)
dropJob(id)
call('DEL', settledKey(id), chunksKey(id))
call('ZADD', DEADLINES, string.format('%.0f', now + (opts.ttlMs or ttlMs)), id)
enqueueJob(id, { name = old[2], data = old[3], opts = cjson.encode(opts), now = now, priority = old[5], key = key })
publish(added)
return 'retried'
