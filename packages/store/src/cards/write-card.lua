-- Writes one fact of a card, if it is still `before`: a worker may have come back and hold the card. 1: written; 0: changed meanwhile.
-- Called by `cards.putClaim` and `cards.putRest`.
if call('HGET', states, field) ~= (before ~= '' and before) then return 0 end
if after == '' then return call('HDEL', states, field) end
call('HSET', states, field, after)
return 1
