-- A job's record (`readRecord` in ends.lua), or false. Called by `jobs.get`.
return readRecord(id)
