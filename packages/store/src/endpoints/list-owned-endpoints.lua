-- The revision and the records of one owner's endpoints. Called by `createEndpointLists`.
return { call('GET', revision) or '0', named(names, records, namesBegin) }
