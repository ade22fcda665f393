dropExpiredBatches()
return { call('ZCARD', BATCHES), call('ZREVRANGE', BATCHES, offset, offset + limit - 1) }
