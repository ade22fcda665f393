if call('GET', lock) == token then call('DEL', lock) end
