-- As in blobs-later.lua.
if call('ZSCORE', blobs, member) == found then return call('ZREM', blobs, member) end
