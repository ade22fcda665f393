-- 1 if the worker has a record and does not drain. Called by `workers.mayStart` just before its start.
if call('EXISTS', worker) == 0 then return 0 end
return 1 - call('HEXISTS', worker, 'drainingSince')
