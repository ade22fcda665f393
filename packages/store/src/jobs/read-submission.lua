endIfOver(id)
return call('HGET', settledKey(id), 'data') or call('HGET', jobKey(id), 'data')
