if call('SREM', holders, holder) == 1 and call('EXISTS', holders) == 0 then call('ZADD', blobs, score, id) end
