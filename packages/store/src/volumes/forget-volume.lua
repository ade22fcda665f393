-- The data of a removed volume is gone. Called by the scaler that removed it.
call('HDEL', stores, id)
call('HDEL', removals, id)
