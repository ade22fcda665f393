-- How many jobs of its queue are taken before one that waits; false where it does not wait in line. Walks the queue. Called by `jobs.ahead`.
local fromNewest = call('LPOS', WAIT, id)
if fromNewest then return call('LLEN', WAIT) - 1 - fromNewest end
local rank = call('ZRANK', PRIORITIZED, id)
return rank and call('LLEN', WAIT) + rank
