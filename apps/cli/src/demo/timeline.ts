// Builds the story of the demo's two calls and their worker from the endpoint's events (`GET /v2/serverless/{id}/events`).
import { formatDuration } from '@runyard/core/durations'
import type { EndpointEvent } from '@runyard/schema'
import { alignColumns, type Terminal } from '../output/terminal.ts'

export interface Moment {
  readonly at: number
  readonly what: string
}

export interface Story {
  readonly cold: readonly Moment[]
  readonly warm: readonly Moment[]
  readonly toZero: readonly Moment[]
}

/** Takes events in any order and omits missing steps. `body` is the kind of worker on its host: `container`, `process`. */
export function writeStory(events: readonly EndpointEvent[], body: string): Story {
  const sorted = events.toSorted((one, other) => one.at - other.at)
  const [first, second] = sorted.filter(({ kind }) => kind === 'job_queued').map(({ jobId }) => jobId)
  const firstWorker = sorted.find(({ kind }) => kind === 'worker_placed')?.workerId
  const lastSettled = sorted.findLast(({ kind }) => kind === 'job_settled')
  const start = sorted.filter(({ kind, workerId }) => workerId === firstWorker && kind in WORKER_START)
  const end = sorted.filter(({ kind, workerId }) => workerId === lastSettled?.workerId && kind in WORKER_END)
  return {
    cold: [...ofJob(sorted, first), ...start.map((event) => ({ at: event.at, what: describeStart(event, body) }))].toSorted(
      (a, b) => a.at - b.at,
    ),
    warm: ofJob(sorted, second),
    toZero: [
      ...(lastSettled === undefined ? [] : [{ at: lastSettled.at, what: 'worker idle' }]),
      ...end.map((event) => ({ at: event.at, what: describeEnd(event) })),
    ],
  }
}

const WORKER_START: Partial<Record<EndpointEvent['kind'], string>> = {
  worker_placed: 'placed',
  worker_started: 'started',
  worker_ready: 'agent ready',
}
const WORKER_END: Partial<Record<EndpointEvent['kind'], string>> = { worker_draining: 'worker retired', worker_gone: 'worker removed' }

function ofJob(events: readonly EndpointEvent[], jobId: string | undefined): readonly Moment[] {
  const own = events.filter((event) => jobId !== undefined && event.jobId === jobId)
  return own.flatMap((event) => {
    if (event.kind === 'job_queued') return [{ at: event.at, what: 'queued' }]
    // The gateway reports a start twice: when it hands out the job, and, from our agent's report, when the function starts.
    if (event.kind === 'job_started') return event.message === undefined ? [] : [{ at: event.at, what: event.message }]
    if (event.kind === 'job_settled') return [{ at: event.at, what: 'returned' }]
    return []
  })
}

/** `worker x placed on local (NVIDIA …, simulated): why` → where. */
function describeStart({ kind, message }: EndpointEvent, body: string): string {
  if (kind === 'worker_started') return `${body} started`
  const where = kind === 'worker_placed' ? /placed on (.+?): /.exec(message ?? '')?.[1] : undefined
  return where === undefined ? (WORKER_START[kind] ?? kind) : `placed on ${where}`
}

function describeEnd({ kind, message, reason }: EndpointEvent): string {
  const name = WORKER_END[kind] ?? kind
  return kind === 'worker_draining' ? `${name}: ${/: (.+)$/.exec(message ?? '')?.[1] ?? reason ?? ''}` : name
}

type Style = Pick<Terminal, 'bold' | 'dim'>

/** Lines that show when each step happened since the call, and how long it took since the step before. */
export function renderStory(story: Story, style: Style): readonly string[] {
  const chapters: readonly (readonly [string, readonly Moment[]])[] = [
    ['Cold call', story.cold],
    ['Warm call', story.warm],
    ['Back to zero', story.toZero],
  ]
  const rows = chapters.flatMap(([title, moments]) => chapter(title, moments, style))
  return alignColumns(rows)
}

function chapter(title: string, moments: readonly Moment[], style: Style): readonly (readonly string[])[] {
  const [first] = moments
  const last = moments.at(-1)
  if (first === undefined || last === undefined) return []
  return [
    [''],
    [style.bold(title), style.bold(padded(formatDuration(last.at - first.at)))],
    ...moments.map(({ at, what }, index) => {
      const took = at - (moments[index - 1]?.at ?? at)
      return [`  ${what}`, padded(formatDuration(at - first.at)), index === 0 ? '' : style.dim(`+${formatDuration(took)}`)]
    }),
  ]
}

/** Right-aligned, because that is easier to read for numbers. */
function padded(text: string): string {
  return text.padStart(8)
}
