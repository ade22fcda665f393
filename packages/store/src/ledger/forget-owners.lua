-- Forgets who owned endpoints of which no row is left. Replies with how many. Called by `ledger.tidy`.
call('HDEL', owners, unpack(endpoints))
return call('ZREM', ownersSince, unpack(endpoints))
