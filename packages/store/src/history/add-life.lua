-- Keeps the life of a worker that is gone. The same life again replaces it. Called by `history.addLife`.
if call('EXISTS', lives) == 0 then call('HSET', bytes, 'lives', 0) end
if call('HEXISTS', lifeRecords, id) == 1 then weighed('lives', -(call('HSTRLEN', lifeRecords, id) + 3 * ENTRY_BYTES)) end
call('HSET', lifeRecords, id, life)
call('ZADD', lives, string.format('%.0f', at), id)
weighed('lives', #life + 3 * ENTRY_BYTES)
for _, key in ipairs({ lives, lifeRecords, counts, bytes }) do call('PEXPIRE', key, bounds.expireMs) end
trimHistory('lives', bounds, { kinds = kinds, shares = shares, keepMs = keepMs })
