-- Only while the claim is still what the writer judged: its worker may have come back to hold the card.
if call('HGET', states, field) ~= (before ~= '' and before) then return 0 end
if after == '' then return call('HDEL', states, field) end
call('HSET', states, field, after)
return 1
