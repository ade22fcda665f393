-- Open intervals and totals, in one snapshot. Called by `ledger.totals`.
return { call('HVALS', open), call('HGETALL', totals) }
