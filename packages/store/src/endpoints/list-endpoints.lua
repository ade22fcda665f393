-- The revision, and all records unless it is the one that the caller knows. Called by `createEndpointLists`.
local current = call('GET', revision) or '0'
if current == known then return { current } end
return { current, call('HVALS', records) }
