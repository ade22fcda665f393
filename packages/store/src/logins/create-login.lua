-- Stores a login request, unless too many are open; those that have expired are removed. 1: stored. Called by `logins.create`.
for _, pair in ipairs(call('ZRANGEBYSCORE', expiries, 0, now)) do
  call('HDEL', records, pair)
  call('ZREM', expiries, pair)
end
if call('HLEN', records) >= most then return 0 end
call('HSET', records, id, record)
call('ZADD', expiries, expiresAt, id)
call('PEXPIREAT', records, expiresAt)
call('PEXPIREAT', expiries, expiresAt)
return 1
