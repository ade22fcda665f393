-- For how many ms the job or a webhook of it will be there at least, `later` where that is not foreseen; -1: it is gone for good.
if call('EXISTS', jobKey(id), jobEventsKey(id)) > 0 then return later end
local left = call('PTTL', settledKey(id))
if left == -2 then return -1 end
return left == -1 and later or math.min(left, later)
