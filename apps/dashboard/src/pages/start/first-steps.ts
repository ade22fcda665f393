// How far a newcomer is: each step is read from the API, none is remembered.
import type { EndpointView, FoundJob, JobDetailView } from '@runyard/schema/api'
import { shortId } from '../../ui/format.ts'

export type StepState = 'done' | 'going' | 'later' | 'stopped'

export interface FirstStep {
  readonly title: string
  readonly state: StepState
  /** What it was, or why it stopped. */
  readonly note?: string | undefined
}

export interface SeenSoFar {
  /** Of the session's key. */
  readonly keyName: string
  readonly endpoints: readonly EndpointView[]
  /** The latest job. */
  readonly job: FoundJob | undefined
  readonly detail: JobDetailView | undefined
}

const FAILED: ReadonlySet<string> = new Set(['FAILED', 'TIMED_OUT', 'CANCELLED'])

export function firstSteps(seen: SeenSoFar): readonly FirstStep[] {
  const facts = factsOf(seen)
  const isFailed = FAILED.has(seen.job?.status ?? '')
  const next = facts.findIndex(({ isDone }) => !isDone)
  const stateOf = (isDone: boolean, at: number): StepState => {
    if (isDone) return 'done'
    if (isFailed) return at === facts.length - 1 ? 'stopped' : 'later'
    return at === next ? 'going' : 'later'
  }
  return facts.map(({ title, isDone, note }, at) => {
    const state = stateOf(isDone, at)
    return { title, state, note: state === 'later' ? undefined : note }
  })
}

interface Fact {
  readonly title: string
  readonly isDone: boolean
  readonly note?: string | undefined
}

function factsOf({ keyName, endpoints, job, detail }: SeenSoFar): readonly Fact[] {
  return [
    { title: 'A key is used', isDone: true, note: keyName },
    { title: 'An endpoint is made', isDone: endpoints.length > 0, note: job?.endpoint.name ?? endpoints.at(-1)?.name },
    { title: 'A job is accepted', isDone: job !== undefined, note: job && shortId(job.id) },
    ...workFacts(job, detail),
  ]
}

function workFacts(job: FoundJob | undefined, detail: JobDetailView | undefined): readonly Fact[] {
  if (job === undefined) return ['A worker is placed', 'Your function is entered', 'The result is there'].map(notYet)
  const { workerId: worker = job.workerId, enteredAt } = detail?.attempts.at(-1) ?? {}
  const isDone = job.status === 'COMPLETED'
  // Workers without our agent do not say when they enter a function.
  const isEntered = enteredAt !== undefined || (isDone && worker !== undefined)
  return [
    { title: 'A worker is placed', isDone: worker !== undefined, note: worker === undefined ? job.message : shortId(worker) },
    { title: 'Your function is entered', isDone: isEntered },
    { title: 'The result is there', isDone, note: isDone ? undefined : (job.error ?? job.status) },
  ]
}

const notYet = (title: string): Fact => ({ title, isDone: false })

/** `2 × NVIDIA L4`, simulated ones named as such. */
export function describeCards(cards: readonly { readonly name: string; readonly simulated: boolean }[]): string {
  const counts = new Map<string, number>()
  for (const { name, simulated } of cards) {
    const words = simulated ? `${name} (simulated)` : name
    counts.set(words, (counts.get(words) ?? 0) + 1)
  }
  return [...counts].map(([words, count]) => `${count} × ${words}`).join(', ')
}
