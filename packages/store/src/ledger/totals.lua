-- One snapshot.
return { call('HVALS', open), call('HGETALL', totals) }
