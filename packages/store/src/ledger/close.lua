-- Ends the open interval of a worker that is gone. Called by `ledger.close`.
local last = call('HGET', open, worker)
if not last then return end
closeInterval(cjson.decode(last), at)
call('HDEL', open, worker)
