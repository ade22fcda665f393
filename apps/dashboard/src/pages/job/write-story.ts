// The life of a job as steps one after the other, put together from its attempts, the lives of their workers, and the deliveries of its webhook.
import type { JobDetailView, WebhookLogView, WorkerLifeView } from '@runyard/schema/api'
import type { WaterfallStep } from '../../ui/waterfall.tsx'

type Attempt = JobDetailView['attempts'][number]
type Delivery = WebhookLogView['attempts'][number]

export interface StoryFacts {
  readonly job: Pick<JobDetailView, 'id' | 'status' | 'submittedAt' | 'startedAt' | 'endedAt' | 'workerId' | 'attempts'>
  readonly workers: ReadonlyMap<string, WorkerLifeView>
  /** Of this job or of others. */
  readonly deliveries: readonly Delivery[]
  readonly usual: { readonly waitMs?: number | undefined; readonly runMs?: number | undefined }
}

export interface Attempts {
  /** Of lives that ended before the job was submitted again. */
  readonly earlier: readonly Attempt[]
  readonly own: readonly Attempt[]
}

export function attemptsOf({ attempts, submittedAt, startedAt, endedAt, workerId }: StoryFacts['job']): Attempts {
  const isOwn = (attempt: Attempt): boolean => (attempt.endedAt ?? attempt.startedAt) >= submittedAt
  const [own, earlier] = [attempts.filter(isOwn), attempts.filter((attempt) => !isOwn(attempt))]
  if (own.length > 0 || startedAt === undefined) return { earlier, own }
  // Of a job long ago the events are gone.
  return { earlier, own: [{ workerId: workerId ?? '', startedAt, ...(endedAt === undefined ? {} : { endedAt }) }] }
}

export function writeStory({ job, workers, deliveries, usual }: StoryFacts): readonly WaterfallStep[] {
  const { earlier, own: attempts } = attemptsOf(job)
  let since = job.submittedAt
  const steps = attempts.flatMap((attempt, index) => {
    const wait = tellWait({ from: since, to: attempt.startedAt }, workers.get(attempt.workerId))
    since = attempt.endedAt ?? since
    const isLast = index === attempts.length - 1
    const number = earlier.length + attempts.length === 1 ? undefined : earlier.length + index + 1
    return [...wait, ...tellAttempt(attempt, { isLost: !isLast || isFailed(job), number, runMs: isLast ? usual.runMs : undefined })]
  })
  const all = [...steps, ...tellRest(job, attempts, since)]
  return [...withUsual(all, usual.waitMs), ...tellWebhook(job, deliveries)]
}

/** The wait that no attempt has ended. */
function tellRest({ endedAt }: StoryFacts['job'], attempts: readonly Attempt[], from: number): readonly WaterfallStep[] {
  if (endedAt !== undefined) return attempts.length === 0 ? [{ label: 'waited', kind: 'wait', from, to: endedAt }] : []
  if (attempts.some((attempt) => attempt.endedAt === undefined)) return []
  return [{ label: attempts.length === 0 ? 'waits' : 'waits again', kind: 'wait', from }]
}

function withUsual(steps: readonly WaterfallStep[], usualMs: number | undefined): readonly WaterfallStep[] {
  const [first, ...rest] = steps
  return first?.kind === 'wait' && usualMs !== undefined ? [{ ...first, usualMs }, ...rest] : steps
}

interface Wait {
  readonly from: number
  readonly to: number
}

/** Where the worker was started for a job that waited, the wait is split at what the worker did. */
function tellWait({ from, to }: Wait, worker: WorkerLifeView | undefined): readonly WaterfallStep[] {
  const placed = worker?.times.placed ?? 0
  if (worker === undefined || placed <= from || placed >= to) {
    return [{ label: 'waits for a worker', kind: 'wait', from, to, ...(worker && { detail: `${worker.id} was there` }) }]
  }
  return [{ label: 'waits for a place', kind: 'wait', from, to: placed }, ...tellStart(worker, to)]
}

/** What a worker did until it took a job. What took no time, such as an image that was there already, is left out. */
export function tellStart({ image, times }: Pick<WorkerLifeView, 'image' | 'times'>, takenAt: number): readonly WaterfallStep[] {
  const stages = [
    { label: 'image is pulled', at: times.imageReady, detail: image },
    { label: 'container starts', at: times.containerStarted },
    { label: 'worker gets ready', at: times.ready },
    { label: 'worker takes the job', at: takenAt },
  ]
  let since = times.placed
  return stages.flatMap(({ label, at = since, detail }) => {
    const [from, to] = [since, Math.min(takenAt, Math.max(since, at))]
    since = to
    return to > from ? [{ label, kind: 'start' as const, from, to, ...(detail !== undefined && { detail }) }] : []
  })
}

const OUTCOMES: Partial<Readonly<Record<JobDetailView['status'], string>>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TIMED_OUT: 'timed out',
}

/** `failed: ValueError: no`, by the first line of its error; undefined while it goes on. */
export function describeOutcome({ status, error }: Pick<JobDetailView, 'status' | 'error'>): string | undefined {
  const word = OUTCOMES[status]
  return word === undefined || error === undefined ? word : `${word}: ${error}`
}

const isFailed = ({ status }: StoryFacts['job']): boolean => status === 'FAILED' || status === 'TIMED_OUT'

interface AttemptFacts {
  readonly isLost: boolean
  /** Undefined: it is the only one. */
  readonly number: number | undefined
  readonly runMs: number | undefined
}

function tellAttempt(attempt: Attempt, { isLost, number, runMs: usualMs }: AttemptFacts): readonly WaterfallStep[] {
  const { startedAt, enteredAt, returnedAt, endedAt, evidence, workerId } = attempt
  const suffix = number === undefined ? '' : `, attempt ${number}`
  const kind = isLost ? 'lost' : 'run'
  if (enteredAt === undefined) {
    return [{ label: `runs${suffix}`, kind, from: startedAt, to: endedAt, detail: evidence ?? workerId, usualMs }]
  }
  const run = { label: `function${suffix}`, kind, from: enteredAt, to: returnedAt ?? endedAt, detail: evidence, usualMs } as const
  const before = { label: `before the function${suffix}`, kind: 'start', from: startedAt, to: enteredAt, detail: workerId } as const
  const after = { label: 'result is returned', kind: 'after', from: returnedAt ?? 0, to: endedAt } as const
  return returnedAt === undefined ? [before, run] : [before, run, after]
}

function tellWebhook({ id, endedAt }: StoryFacts['job'], deliveries: readonly Delivery[]): readonly WaterfallStep[] {
  const own = deliveries.filter(({ jobId, at }) => jobId === id && at >= (endedAt ?? Infinity)).toSorted((a, b) => a.at - b.at)
  const last = own.at(-1)
  if (last === undefined || endedAt === undefined) return []
  const { at, durationMs, outcome, url, httpStatus, error } = last
  const answer = httpStatus === undefined ? error : `status ${httpStatus}`
  const detail = [`${outcome}, ${own.length} ${own.length === 1 ? 'attempt' : 'attempts'}`, answer, url].filter(Boolean).join(' · ')
  return [{ label: 'webhook', kind: outcome === 'delivered' ? 'after' : 'lost', from: endedAt, to: at + durationMs, detail }]
}
