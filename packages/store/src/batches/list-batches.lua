-- One page of batches, newest first, and their total number. Called by `batches.list`.
dropExpiredBatches()
return { call('ZCARD', BATCHES), call('ZREVRANGE', BATCHES, offset, offset + limit - 1) }
