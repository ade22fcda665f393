-- Gives up the lease if it is still the owner's. Called by `leader.release`.
if call('HGET', lease, 'owner') ~= owner then return 0 end
return call('DEL', lease)
