-- Batches, for all scripts on them: requests that are collected first and become jobs when the batch is finalized (client-api §5.13). All keys
-- of a batch are in the slot of its endpoint:
-- b:<batch> (its record)   b:<batch>:ids (its requests in order)   b:<batch>:drafts (request → submission, until it is a job)
-- r:batches (batch → creation time)   r:batches:until (batch → when its keys expire)   r:batches:active (batches that count for the limit)
-- Drafts count as waiting bytes together with the jobs (`weights.lua`).

-- Ended batches are kept for days. The oldest are dropped if there are more batches, or more requests in them, than these limits.
local MOST_KEPT = 10000
local MOST_KEPT_REQUESTS = 1000000
-- So few batches cannot hold more requests than that.
local FEW_BATCHES = 200
-- As many as Lua passes to one call.
local DROPPED_AT_ONCE = 1000

local function number(id, field) return tonumber(call('HGET', batchKey(id), field) or '0') end
local function live(id, ms)
  for _, key in ipairs({ batchKey(id), batchIdsKey(id), batchDraftsKey(id) }) do call('PEXPIRE', key, ms) end
  call('ZADD', BATCHES_UNTIL, string.format('%.0f', clock() + ms), id)
end
-- Their keys expire by themselves; this removes them from the lists.
local function dropExpiredBatches()
  local ids
  repeat
    ids = call('ZRANGEBYSCORE', BATCHES_UNTIL, '-inf', clock(), 'LIMIT', 0, DROPPED_AT_ONCE)
    if #ids > 0 then
      call('ZREM', BATCHES, unpack(ids))
      call('ZREM', BATCHES_UNTIL, unpack(ids))
      call('SREM', ACTIVE_BATCHES, unpack(ids))
    end
  until #ids < DROPPED_AT_ONCE
end
local function dropOldest()
  if call('ZCARD', BATCHES) <= FEW_BATCHES then return end
  local requests = 0
  for place, id in ipairs(call('ZREVRANGE', BATCHES, 0, -1)) do
    requests = requests + number(id, 'requestTotal')
    local isOver = place > MOST_KEPT or requests > MOST_KEPT_REQUESTS
    if isOver and call('HEXISTS', batchKey(id), 'ended') == 1 then
      call('UNLINK', batchKey(id), batchIdsKey(id))
      call('ZREM', BATCHES, id)
      call('ZREM', BATCHES_UNTIL, id)
    end
  end
end
-- Why a batch cannot be changed as a draft; nil where it can.
local function noDraft(id)
  local status = call('HGET', batchKey(id), 'status') or 'unknown'
  return status ~= 'DRAFT' and status or nil
end
