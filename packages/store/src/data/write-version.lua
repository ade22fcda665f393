-- Nothing where the lock was lost.
if call('GET', lock) ~= token then return 0 end
call('SET', dataVersion, version)
return 1
