local last = call('HGET', open, worker)
if not last then return end
closeInterval(cjson.decode(last), at)
call('HDEL', open, worker)
