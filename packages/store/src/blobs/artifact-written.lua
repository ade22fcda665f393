-- Nothing where the sweep took the upload for given up meanwhile.
if call('ZADD', blobs, 'XX', 'CH', score, id) == 0 and not call('ZSCORE', blobs, id) then return 0 end
call('HSET', records, id, record)
return 1
