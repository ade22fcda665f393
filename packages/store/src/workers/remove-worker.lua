-- Removes a worker's record. 0: it was gone. Called by `workers.remove`.
call('SREM', workers, id)
if call('DEL', worker) == 0 then return 0 end
publish(changed)
return 1
