-- Gives an owner a new secret for signatures and keeps the one before. Replies with both, newest first. One step, so that two rotations at once
-- both count. Called by `webhooks.rotateSecret`.
local known = call('HGET', secrets, owner)
local rotated = cjson.encode({ secret, known and cjson.decode(known)[1] or nil })
call('HSET', secrets, owner, rotated)
return rotated
