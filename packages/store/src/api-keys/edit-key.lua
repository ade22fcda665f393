if call('HGET', records, id) ~= before then return 0 end
call('HSET', records, id, after)
publish(changed)
return 1
