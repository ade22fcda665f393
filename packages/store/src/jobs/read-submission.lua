-- The input of a job, live or ended, or nothing. Called by `jobs.submission`.
endIfOver(id)
return call('HGET', settledKey(id), 'data') or call('HGET', jobKey(id), 'data')
