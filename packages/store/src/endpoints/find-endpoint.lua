local id = call('HGET', names, name)
return id and call('HGET', records, id)
