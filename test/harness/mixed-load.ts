// Callers that mix submit, runsync, status and stream requests to any gateway, and remember every accepted job: each of these has to end.
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobView } from '@runyard/schema/api'
import type { Stack } from './stack.ts'

export interface AcceptedJob {
  readonly id: string
  readonly value: number
  readonly at: number
  /** The chunks of its stream, if it was read to the end. */
  readonly streamed?: readonly unknown[]
}

export interface MixedLoad {
  readonly accepted: readonly AcceptedJob[]
  /** Rejected and interrupted requests, by status or error. */
  readonly refused: ReadonlyMap<string, number>
  /** Stops submitting; resolves when every caller has its last response. */
  stop(): Promise<void>
}

interface Load {
  readonly stack: Stack
  readonly endpointId: string
  readonly accepted: AcceptedJob[]
  readonly refused: Map<string, number>
  readonly stopping: AbortController
  next: number
}

const TERMINAL = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])
type Caller = (load: Load, value: number) => Promise<void>

const CALLERS: readonly Caller[] = [
  (load, value) => submit(load, { operation: 'run', input: { value } }),
  (load, value) => submit(load, { operation: 'runsync?wait=5000', input: { value } }),
  followStatus,
  followStream,
]

/** Runs `callers` concurrent callers, each with a pause after every job. */
export function startMixedLoad(stack: Stack, { endpointId, callers }: { endpointId: string; callers: number }): MixedLoad {
  const load: Load = { stack, endpointId, accepted: [], refused: new Map(), stopping: new AbortController(), next: 0 }
  const running = Array.from({ length: callers }, (_, index) => callOnAndOn(load, CALLERS[index % CALLERS.length] ?? followStatus))
  return {
    accepted: load.accepted,
    refused: load.refused,
    async stop() {
      load.stopping.abort()
      await Promise.all(running)
    },
  }
}

async function callOnAndOn(load: Load, call: Caller): Promise<void> {
  while (!load.stopping.signal.aborted) {
    load.next += 1
    await call(load, load.next).catch((error: unknown) => note(load, error instanceof Error ? error.message : String(error)))
    await sleep(20)
  }
}

function note({ refused }: Load, what: string): void {
  refused.set(what, (refused.get(what) ?? 0) + 1)
}

async function submit(
  load: Load,
  { operation, input }: { operation: string; input: { value: number } & Record<string, unknown> },
): Promise<void> {
  await accept(load, { operation, input })
}

async function accept(
  load: Load,
  { operation, input }: { operation: string; input: { value: number } & Record<string, unknown> },
): Promise<string | undefined> {
  const reply = await load.stack.api.post(`/v2/${load.endpointId}/${operation}`, { input })
  if (reply.status !== 200) {
    note(load, String(reply.status))
    return undefined
  }
  const { id } = reply.as<JobView>()
  load.accepted.push({ id, value: input.value, at: Date.now() })
  return id
}

async function followStatus(load: Load, value: number): Promise<void> {
  const id = await accept(load, { operation: 'run', input: { value } })
  if (id === undefined) return
  while (!load.stopping.signal.aborted) {
    const reply = await load.stack.api.get(`/v2/${load.endpointId}/status/${id}`)
    if (reply.status !== 200) return note(load, `status ${reply.status}`)
    if (TERMINAL.has(String(reply.json['status']))) return
    await sleep(100)
  }
}

/** Reads until the terminal status, as every client does (client-api R6). A reader whose response broke off asks again. */
async function followStream(load: Load, value: number): Promise<void> {
  const id = await accept(load, { operation: 'run', input: { value, stream: true } })
  if (id === undefined) return
  const streamed: unknown[] = []
  while (!load.stopping.signal.aborted) {
    const answer = await askStream(load, id)
    if (answer === undefined) continue
    streamed.push(...(answer['stream'] as { output: unknown }[]).map(({ output }) => output))
    if (!TERMINAL.has(String(answer['status']))) continue
    const index = load.accepted.findIndex((job) => job.id === id)
    const job = load.accepted[index]
    if (job !== undefined) load.accepted[index] = { ...job, streamed }
    return
  }
}

/** Undefined if the response broke off or the request was temporarily rejected. */
async function askStream(load: Load, id: string): Promise<Record<string, unknown> | undefined> {
  const reply = await load.stack.api.get(`/v2/${load.endpointId}/stream/${id}?wait=1000`).catch(() => undefined)
  if (reply?.status === 200) return reply.json
  if (reply?.status === 404) throw new Error('stream 404')
  note(load, `stream ${reply?.status ?? 'broke off'}`)
  await sleep(50)
  return undefined
}
