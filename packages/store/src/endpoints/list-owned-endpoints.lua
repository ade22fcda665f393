return { call('GET', revision) or '0', named(names, records, namesBegin) }
