-- Leases, for the scripts that read and renew them.
-- Rows of { job, holder, submittedAt, startedAt, attempts, options, last holder, ms until the lease runs out }. Removes leftovers without a job.
local function readLeases()
  local leases = {}
  for _, id in ipairs(call('LRANGE', ACTIVE, 0, -1)) do
    local isEnded = isSettled(id)
    local job = call('HMGET', jobKey(id), 'timestamp', 'processedOn', 'ats', 'opts', 'pb')
    if not job[1] or isEnded then
      dropJob(id)
    else
      leases[#leases + 1] = { id, call('GET', lockKey(id)), job[1], job[2], job[3], job[4], job[5], call('PTTL', lockKey(id)) }
    end
  end
  return leases
end

-- Renews what the worker holds and returns the rest. The ttl counts for running jobs, too (client-api §6): a job past it is ended here.
local function renewNamed(ids, worker, leaseMs)
  local notHeld = {}
  for _, id in ipairs(ids) do
    endIfOver(id)
    if holderOf(id) == worker then
      call('SET', lockKey(id), worker, 'PX', leaseMs)
    else
      notHeld[#notHeld + 1] = id
    end
  end
  return notHeld
end
