-- Moves a login request to another state. 1: moved; 0: it is not `before` any more. Called by `logins.move`.
if call('HGET', records, id) ~= before then return 0 end
call('HSET', records, id, after)
return 1
