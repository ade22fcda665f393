-- Sets when the sweep looks at an owner of blobs again. Does nothing if its score changed, since new blobs were announced.
-- Called by the sweep of blobs.
if call('ZSCORE', blobs, member) == found then return call('ZADD', blobs, next, member) end
