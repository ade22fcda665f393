-- Releases the lock of a migration, unless another process has it by now.
if call('GET', lock) == token then call('DEL', lock) end
