-- Writes the version after a migration. 0: the lock was lost, so another process migrates.
if call('GET', lock) ~= token then return 0 end
call('SET', dataVersion, version)
return 1
