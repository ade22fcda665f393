-- Stores what was uploaded. 0: the upload has expired, or became a build, in the meantime. Called by `uploads.conclude`.
if not call('SET', upload, record, 'XX', 'KEEPTTL') then return 0 end
return 1
