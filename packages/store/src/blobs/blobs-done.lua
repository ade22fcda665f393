-- Takes an owner of blobs off the sweep's list. Does nothing if its score changed, since new blobs were announced. Called by the sweep of blobs.
if call('ZSCORE', blobs, member) == found then return call('ZREM', blobs, member) end
