-- Sets fields of a worker. 0: nothing was written, since the worker is unknown or its field `unless` is set ('': no such field).
-- Called by `workers.patch` and `jobs.take`.
if call('EXISTS', worker) == 0 then return 0 end
if unless ~= '' and call('HEXISTS', worker, unless) == 1 then return 0 end
call('HSET', worker, unpack(fields))
if not quiet then publish(changed) end
return 1
