-- The hash stays behind with an empty id, so that no key file and no import brings the key back.
call('HSET', hashes, hash, '')
call('HDEL', records, id)
call('HDEL', uses, id)
publish(changed)
