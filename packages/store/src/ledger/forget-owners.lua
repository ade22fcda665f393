call('HDEL', owners, unpack(endpoints))
return call('ZREM', ownersSince, unpack(endpoints))
