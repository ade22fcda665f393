-- Stores the record of a new worker. 0: its endpoint was deleted. Called by `workers.create`.
if call('EXISTS', forgotten) == 1 then return 0 end
call('HSET', worker, unpack(fields))
call('SADD', workers, id)
publish(changed)
return 1
