// GET /runyard/v1/jobs/{id}/input and /output: what a job carries, or the beginning of it, so that a look at a job of 30 MB costs 4 KiB (ADR 91).
import { RunyardError, type JsonText } from '@runyard/schema'
import type { JobValueView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import { describeGone, findJob } from '../jobs/find-job.ts'
import type { OwnEndpoints } from './own-endpoints.ts'

interface Asked {
  readonly id: string
  /** How much of it. */
  readonly bytes: number
}

/** @throws RunyardError('not_found') */
export async function readInput(store: Pick<Store, 'jobs'>, own: OwnEndpoints, { id, bytes }: Asked): Promise<JobValueView> {
  const { endpoint } = (await findJob(store.jobs, [...own.all.values()], id)) ?? (await failGone(store, own, id))
  const submission = await store.jobs.submission(endpoint.id, id)
  if (submission !== undefined) return beginningOf(submission.input, bytes)
  throw new RunyardError(
    'not_found',
    `The input of job "${id}" is not kept any more: it goes when a job completes or is cancelled, and with the result of a failed one.`,
  )
}

/** @throws RunyardError('not_found') */
export async function readOutput(store: Pick<Store, 'jobs'>, own: OwnEndpoints, { id, bytes }: Asked): Promise<JobValueView> {
  const { job: record } = (await findJob(store.jobs, [...own.all.values()], id)) ?? (await failGone(store, own, id))
  if (record.output === undefined) throw new RunyardError('not_found', `Job "${id}" has no output; it is ${record.status}.`)
  return beginningOf(record.output, bytes)
}

async function failGone({ jobs }: Pick<Store, 'jobs'>, { all }: OwnEndpoints, id: string): Promise<never> {
  const found = await Promise.all([...all.keys()].map((endpointId) => jobs.whyGone(endpointId, id)))
  const gone = found.find((one) => one !== undefined)
  throw new RunyardError('not_found', gone === undefined ? `Redis has no job "${id}" any more.` : `Job "${id}" ${describeGone(gone)}.`)
}

/** No character is cut in two. */
function beginningOf(value: JsonText, bytes: number): JobValueView {
  const whole = typeof value === 'string' ? Buffer.from(value) : value
  const text = new TextDecoder().decode(whole.subarray(0, bytes), { stream: whole.length > bytes })
  return { text, bytes: whole.length, isWhole: whole.length <= bytes }
}
