// Sends one request and follows it to its end; what is known is reported with every change.
import type { JobView } from '@runyard/schema/api'
import { RunyardError } from '@runyard/schema/errors'
import { client } from '../../../api/client.ts'
import type { ModeName } from './modes.ts'

export interface Chunk {
  /** Epoch ms of its arrival. */
  readonly at: number
  readonly output: unknown
}

export interface CallState {
  /** Epoch ms. */
  readonly begunAt: number
  /** Undefined: it goes on. */
  readonly endedAt?: number
  readonly jobId?: string
  readonly job?: JobView
  readonly chunks: readonly Chunk[]
  /** Of an OpenAI route that does not stream. */
  readonly answer?: unknown
  readonly error?: Error
}

export interface CallRequest {
  readonly endpointId: string
  readonly mode: ModeName
  readonly text: string
  /** A click that comes twice is one job. */
  readonly idempotencyKey: string
}

export interface Following {
  readonly change: (changed: Partial<CallState> | ((now: CallState) => Partial<CallState>)) => void
  readonly signal: AbortSignal
}

/** So early that the page knows the id of the job, and shows what it waits for. */
const ID_WITHIN_MS = 1000
const HOLD_MS = 20_000

/** Resolves at the end; failures are reported, too. */
export async function runCall(request: CallRequest, { change, signal }: Following): Promise<void> {
  try {
    await (request.mode === 'chat' ? chat(request, { change, signal }) : runJob(request, { change, signal }))
  } catch (error) {
    if (signal.aborted) return
    change({ error: error instanceof Error ? error : new Error(String(error)) })
  }
  change({ endedAt: Date.now() })
}

async function runJob({ endpointId, mode, text, idempotencyKey }: CallRequest, { change, signal }: Following): Promise<void> {
  const wait = mode === 'sync' ? { waitMs: ID_WITHIN_MS } : {}
  let job = await again(() => client.jobs.submit(endpointId, text, { idempotencyKey, ...wait }))
  change({ job, jobId: job.id })
  if (mode === 'stream') await readChunks(endpointId, job.id, { change, signal })
  while (!signal.aborted && !isOver(job)) {
    job = await client.jobs.waitFor(endpointId, job.id, HOLD_MS)
    change({ job })
  }
}

/** An answer that was lost is asked for again: by its key it is one job. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  return await ask().catch((error: unknown) => {
    if (error instanceof RunyardError && error.code === 'store_unavailable') return ask()
    throw error
  })
}

export const isOver = ({ status }: Pick<JobView, 'status'>): boolean => status !== 'IN_QUEUE' && status !== 'IN_PROGRESS'

async function readChunks(endpointId: string, jobId: string, { change, signal }: Following): Promise<void> {
  for (;;) {
    const { status, stream } = await client.jobs.stream(endpointId, jobId)
    if (signal.aborted) return
    const at = Date.now()
    if (stream.length > 0) change((now) => ({ chunks: [...now.chunks, ...stream.map(({ output }) => ({ at, output }))] }))
    else if (isOver({ status })) return
  }
}

async function chat({ endpointId, text }: CallRequest, { change, signal }: Following): Promise<void> {
  const isStream = (JSON.parse(text) as { stream?: unknown }).stream === true
  let id: string | undefined
  for await (const { jobId, data } of client.jobs.openai(endpointId, 'chat/completions', { text, signal })) {
    id = jobId
    const known = jobId === undefined ? {} : { jobId }
    if (isStream) change((now) => ({ ...known, chunks: [...now.chunks, { at: Date.now(), output: data }] }))
    else change({ ...known, answer: data })
  }
  // Its times. What it put out are the pieces of the answer, which is there already.
  if (id !== undefined) change({ job: withoutOutput(await client.jobs.waitFor(endpointId, id, ID_WITHIN_MS)) })
}

function withoutOutput({ output: _output, ...job }: JobView): JobView {
  return job
}

/** What an assistant has said so far. */
export function joinDeltas(chunks: readonly Chunk[]): string {
  return chunks
    .map(({ output }) => (output as { choices?: readonly { delta?: { content?: unknown } }[] } | null)?.choices?.[0]?.delta?.content)
    .filter((piece) => typeof piece === 'string')
    .join('')
}
