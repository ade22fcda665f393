-- Changes nothing where another score says that more blobs were announced meanwhile.
if call('ZSCORE', blobs, member) == found then return call('ZADD', blobs, next, member) end
