return call('HGETALL', worker)
