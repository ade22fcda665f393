-- Ends an interval: it becomes a row, and its length is added to the totals. Used by `transition.lua` and `close.lua`.
local function closeInterval(row, at)
  if at <= row.from then return end
  row.to = at
  call('ZADD', rows, at, cjson.encode(row))
  call('HINCRBY', totals, cjson.encode({ row.endpointId, row.gpuType, row.state }), at - row.from)
end
