-- What scripts on endpoints and resources share: records found by name and by content.
-- The records of the endpoints whose names begin with `prefix`.
local function named(names, records, prefix)
  local found = {}
  local all = call('HGETALL', names)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, #prefix) == prefix then
      local record = call('HGET', records, all[i + 1])
      if record then found[#found + 1] = record end
    end
  end
  return found
end
-- The values of a hash that contain a text; '' = all.
local function having(key, text)
  local found = {}
  for _, value in ipairs(call('HVALS', key)) do
    if text == '' or string.find(value, text, 1, true) then found[#found + 1] = value end
  end
  return found
end
