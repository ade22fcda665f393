-- Ends the open interval of a worker that is gone. Called by `ledger.close`.
local last = call('HGET', open, worker)
if not last then return end
local row = cjson.decode(last)
if reason ~= '' then row.endReason = reason end
closeInterval(row, at)
call('HDEL', open, worker)
