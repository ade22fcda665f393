-- For how many ms a job, its result or a webhook of it will certainly exist; `later` if that is unknown; -1: all are gone, and their blobs can go.
-- Called by the sweep of blobs.
if call('EXISTS', jobKey(id), jobEventsKey(id)) > 0 then return later end
local left = call('PTTL', settledKey(id))
if left == -2 then return -1 end
return left == -1 and later or math.min(left, later)
