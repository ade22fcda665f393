-- How many ms to wait until the sweep looks at an artifact again. -1: no holder is left, the record is removed, and the blob can go.
-- Called by the sweep of blobs.
if call('EXISTS', holders) == 1 then return later end
call('HDEL', records, id)
return -1
