local function closeInterval(row, at)
  if at <= row.from then return end
  row.to = at
  call('ZADD', rows, at, cjson.encode(row))
  call('HINCRBY', totals, cjson.encode({ row.endpointId, row.gpuType, row.state }), at - row.from)
end
