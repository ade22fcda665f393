-- Stores the record of an uploaded artifact. 0: the sweep has given up the upload meanwhile. Called by `artifacts.write`.
if call('ZADD', blobs, 'XX', 'CH', score, id) == 0 and not call('ZSCORE', blobs, id) then return 0 end
call('HSET', records, id, record)
return 1
