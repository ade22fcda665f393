-- The revision, and the records of one owner's endpoints unless it is the one that the caller knows. Called by `createEndpointLists`.
local current = call('GET', revision) or '0'
if current == known then return { current } end
return { current, named(names, records, namesBegin) }
