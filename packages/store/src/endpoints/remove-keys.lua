-- Removes every key of a deleted endpoint: workers, batches and the keys in `left`. A mark stays for a while, by which later writes are refused.
-- Called by `endpoints.delete` and `endpoints.forget`.
for _, id in ipairs(call('SMEMBERS', WORKERS)) do call('DEL', workerKey(id)) end
for _, id in ipairs(call('ZRANGE', BATCHES, 0, -1)) do call('UNLINK', batchKey(id), batchIdsKey(id), batchDraftsKey(id)) end
call('DEL', unpack(left))
call('EXPIRE', TERM, keepS)
call('SET', FORGOTTEN, '1', 'EX', keepS)
