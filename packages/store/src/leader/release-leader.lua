if call('HGET', lease, 'owner') ~= owner then return 0 end
return call('DEL', lease)
