-- Writes nothing to an unknown worker, which would create it, nor where the field `unless` is set ('' = none).
if call('EXISTS', worker) == 0 then return 0 end
if unless ~= '' and call('HEXISTS', worker, unless) == 1 then return 0 end
call('HSET', worker, unpack(fields))
if not quiet then publish(changed) end
return 1
