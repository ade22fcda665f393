// The job store: what may be done with a job, put together from its parts. Each operation is one trip to Redis.
import type { JobStore } from './types.ts'
import type { StoreContext } from './context.ts'
import { createJobList } from './list.ts'
import { createJobReads } from './read.ts'
import { createJobEnds } from './settle.ts'
import { createJobSubmits } from './submit.ts'
import { createJobSweeps } from './sweep.ts'
import { createJobTakes } from './take.ts'

export function createJobStore(context: StoreContext): JobStore {
  return {
    ...createJobSubmits(context),
    ...createJobTakes(context),
    ...createJobEnds(context),
    ...createJobReads(context),
    ...createJobList(context),
    ...createJobSweeps(context),
  }
}
