-- Stores what the scaler says about an endpoint; nothing for a deleted one. Called by `status.put`.
if call('EXISTS', forgotten) == 0 then call('SET', status, text) end
