call('SREM', workers, id)
if call('DEL', worker) == 0 then return 0 end
publish(changed)
return 1
