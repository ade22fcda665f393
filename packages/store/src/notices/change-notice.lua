-- Opens or resolves a notice, and writes its events for the courier in the same step. 1: done; 0: another gateway did it. Called by `notices.change`.
if (call('HGET', NOTICES, name) or '') ~= before then return 0 end
if after == '' then call('HDEL', NOTICES, name) else call('HSET', NOTICES, name, after) end
for at, id in ipairs(ids) do
  -- The outbox reads an event from its job, which exists for this moment alone.
  call('HSET', jobKey(id), 'data', datas[at], 'timestamp', now)
  addEvent(id, nil, { now = now, outcome = outcome, outboxEvents = outboxEvents }, cjson.encode({ webhook = lanes[at] }))
  call('DEL', jobKey(id))
end
return 1
