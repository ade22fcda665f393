-- Appends events to an endpoint's history and keeps the newest `most`; nothing for a deleted endpoint. Called by `events.append`.
if call('EXISTS', forgotten) == 1 then return end
for _, event in ipairs(texts) do call('RPUSH', events, event) end
call('LTRIM', events, -most, -1)
