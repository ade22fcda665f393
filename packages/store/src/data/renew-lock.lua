-- Extends the lock of a migration while it runs. Called by `ensureDataVersion`, as are the other scripts here.
if call('GET', lock) == token then call('PEXPIRE', lock, lockMs) end
