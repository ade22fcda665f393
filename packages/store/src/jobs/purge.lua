-- Takes the whole queue out of reach in one step, however long it is (ADR 26), and replies with the number of jobs. Their CANCELLED records are
-- written afterwards by `end-purged.lua`, or by a script that asks about one of them. A job notes how many purges its queue had seen when it
-- came, and a purge takes all that wait: a waiting job that knows fewer purges than there were has been purged. Called by `jobs.purge`.
-- PURGES: number of a purge → how its jobs end, until all have   purgedWaitKey, purgedLowKey: jobs without an end   COUNTERS purges
for _, id in ipairs(waitingSuspects()) do
  call('LPUSH', WAIT, id)
  forgetSuspect(id)
end
local waiting, low = call('LLEN', WAIT), call('ZCARD', PRIORITIZED)
if waiting + low == 0 then return 0 end
local number = call('HINCRBY', COUNTERS, 'purges', 1)
call('HSET', PURGES, number, cjson.encode(ending))
if waiting > 0 then call('RENAME', WAIT, purgedWaitKey(number)) end
if low > 0 then call('RENAME', PRIORITIZED, purgedLowKey(number)) end
publish(purged)
return waiting + low
