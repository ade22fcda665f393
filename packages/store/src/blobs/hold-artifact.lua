if call('HEXISTS', records, id) == 0 then return 0 end
call('SADD', holders, holder)
return 1
