-- Forgets owners and names of endpoints of which no row is left. Replies with how many. Called by `ledger.tidy`.
call('HDEL', owners, unpack(endpoints))
call('HDEL', owners, unpack(nameFields))
return call('ZREM', ownersSince, unpack(endpoints))
