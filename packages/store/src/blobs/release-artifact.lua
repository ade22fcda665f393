-- Removes a holder from an artifact. After the last one the sweep looks at it at `score`. Called by `artifacts.release`.
if call('SREM', holders, holder) == 1 and call('EXISTS', holders) == 0 then call('ZADD', blobs, score, id) end
