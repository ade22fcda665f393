-- Adds a holder to an artifact, which keeps it. 0: the artifact does not exist. Called by `artifacts.hold`.
if call('HEXISTS', records, id) == 0 then return 0 end
call('SADD', holders, holder)
return 1
