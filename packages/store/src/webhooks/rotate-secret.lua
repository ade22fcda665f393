-- Returns what signs from now on, newest first. In one step, so that two rotations at once both count.
local known = call('HGET', secrets, owner)
local rotated = cjson.encode({ secret, known and cjson.decode(known)[1] or nil })
call('HSET', secrets, owner, rotated)
return rotated
