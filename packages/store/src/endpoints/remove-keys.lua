-- The records of workers and the batches go with the given keys, and what comes later is refused.
for _, id in ipairs(call('SMEMBERS', WORKERS)) do call('DEL', workerKey(id)) end
for _, id in ipairs(call('ZRANGE', BATCHES, 0, -1)) do call('UNLINK', batchKey(id), batchIdsKey(id), batchDraftsKey(id)) end
call('DEL', unpack(left))
call('EXPIRE', TERM, keepS)
call('SET', FORGOTTEN, '1', 'EX', keepS)
