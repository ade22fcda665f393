-- Adds to one day of the ledger: field → `seconds gpuSeconds`. Used by `roll-up.lua` and `fold-days.lua`.
local function addDay(key, field, seconds, gpuSeconds)
  local known = call('HGET', key, field) or '0 0'
  local hadSeconds, hadGpuSeconds = string.match(known, '^(%d+) (%d+)$')
  call('HSET', key, field, string.format('%.0f %.0f', hadSeconds + seconds, hadGpuSeconds + gpuSeconds))
end
