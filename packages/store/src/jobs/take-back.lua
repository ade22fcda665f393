-- Takes a job back from a lost worker, or (`worker` '') from an expired lease, and puts it into the queue again; beyond its budget it fails.
-- `requeued`, `failed`, or `moot`: it has ended, or another worker holds it. Called by `jobs.takeBack`.

-- The last holder of an expired lease was not seen to die: it may still ask for jobs, and its token must not become valid a second time (ADR 1).
-- Every gateway hears that the worker is to be replaced before it hears of the job.
local function replaceHolder(id)
  local worker = call('HGET', jobKey(id), 'pb')
  if not worker or call('EXISTS', workerKey(worker)) == 0 then return end
  call('HSET', workerKey(worker), 'refreshRequested', 'true')
  announce({ kind = 'worker-changed', workerId = worker })
end
local attempts = tonumber(call('HGET', jobKey(id), 'ats') or '0')
if isSettled(id) or call('EXISTS', jobKey(id)) == 0 then
  dropJob(id)
  return 'moot'
end
local holder = call('GET', lockKey(id))
if holder and holder ~= worker then return 'moot' end
if not call('LPOS', ACTIVE, id) then return 'moot' end
-- What a host lost by its own fault is no sign against the job, a few times.
local isFree = withoutCost and call('HINCRBY', jobKey(id), 'hostFaults', 1) <= 3
if withAll and not isFree then suspectAll(call('HGET', jobKey(id), 'pb'), worker == '') end
if worker == '' then replaceHolder(id) end
if attempts > budget and not isFree then
  local times = attempts == 1 and 'once' or (attempts .. ' times')
  -- Begins as Runpod's own sentence, which clients know (client-api §4.4).
  local error = 'job timed out after ' .. (attempts - 1) .. ' retries: worker lost ' .. times .. ': ' .. evidence
  ending.outcome = cjson.encode({ status = ending.status, error = error })
  settleJob(id, worker, ending)
  publish(settled)
  return 'failed'
end
requeueJob(id)
if isFree then
  call('HINCRBY', jobKey(id), 'ats', -1)
else
  call('HINCRBY', COUNTERS, 'retried', 1)
end
publish(added)
return 'requeued'
