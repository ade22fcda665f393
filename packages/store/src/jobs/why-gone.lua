local entry = readEntry(id)
return entry and { entry.status, entry.at, string.format('%.0f', entry.expiry), entry.why }
