-- The worker that holds a job, or nothing. Called by `jobs.holds`.
return holderOf(id)
