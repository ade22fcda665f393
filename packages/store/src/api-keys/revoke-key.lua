-- Removes an API key. Its hash stays with an empty id, so that no key file and no import can bring the key back. Called by `keys.revoke`.
call('HSET', hashes, hash, '')
call('HDEL', records, id)
call('HDEL', uses, id)
publish(changed)
