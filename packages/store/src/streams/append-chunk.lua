-- Appends a chunk of a job's stream and renews the lease. `settled`, or the reason of a refusal; `repeated`: the chunk is there already.
-- A worker that did not get the reply sends the chunk again under the same name. It posts one chunk after the other, so remembering the last few
-- names is enough: eight of 36 letters. Called by `jobs.appendChunk`.
local POSTS_CHARACTERS = 7 * 37

local name = post .. ' '
if isSettled(id) then return 'already_settled' end
if holderOf(id) ~= worker then return 'not_holder' end
call('SET', lockKey(id), worker, 'PX', leaseMs)
local posts = call('HGET', jobKey(id), 'posts') or ''
if posts:find(name, 1, true) then return 'repeated' end
if call('HINCRBY', jobKey(id), 'streamed', bytes) > mostBytes then return 'too_much' end
if not addChunkWeight(id, weighChunk(#chunk), mostUnread) then return 'no_room' end
call('RPUSH', chunksKey(id), chunk)
call('HSET', jobKey(id), 'posts', name .. posts:sub(1, POSTS_CHARACTERS))
publish(added)
return 'settled'
