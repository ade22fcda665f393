-- The ms to look again where it is held; -1: nothing holds it, and from now on nothing can.
if call('EXISTS', holders) == 1 then return later end
call('HDEL', records, id)
return -1
