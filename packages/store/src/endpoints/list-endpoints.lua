-- The records only where the revision is another than the known one.
local current = call('GET', revision) or '0'
if current == known then return { current } end
return { current, call('HVALS', records) }
