// The job store: what may be done with a job, put together from its parts. Each operation is one trip to Redis.
import type { JobStore } from '../types.ts'
import type { StoreContext } from '../context.ts'
import { createJobList } from './list.ts'
import { createJobReads } from './read.ts'
import { createJobEnds } from './settle.ts'
import { createJobStreams } from '../streams/streams.ts'
import { createJobSubmits } from './submit.ts'
import { createBlobSweeps, createJobValues } from '../blobs/sweep-blobs.ts'
import { createJobSweeps } from './sweep.ts'
import { createJobTakes } from './take.ts'

export function createJobStore(context: StoreContext): JobStore {
  const ends = createJobEnds(context)
  return {
    ...createJobSubmits(context),
    ...createJobTakes(context, ends),
    ...ends,
    ...createJobReads(context),
    ...createJobStreams(context),
    ...createJobList(context),
    ...createJobSweeps(context),
    ...createBlobSweeps(context, createJobValues(context)),
  }
}
