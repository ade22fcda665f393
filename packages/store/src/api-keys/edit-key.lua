-- Replaces the record of an API key. 1: replaced; 0: it is not `before` any more, so the caller reads again. Called by `keys.limit`.
if call('HGET', records, id) ~= before then return 0 end
call('HSET', records, id, after)
publish(changed)
return 1
