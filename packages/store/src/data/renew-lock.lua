if call('GET', lock) == token then call('PEXPIRE', lock, lockMs) end
