// Start and die events of an instance's containers. Reconnects with increasing pauses; the next `listWorkers` shows what happened meanwhile. Never
// fails: an unavailable engine sends no events.
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostEvent } from '@runyard/schema'
import type Docker from 'dockerode'
import { LABELS } from './container-spec.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

interface DockerEvent {
  readonly Action?: string
  readonly timeNano?: number
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> }
}

export function watchContainers(docker: Docker, instanceId: string, onEvent: (event: HostEvent) => void): AsyncDisposable {
  const stop = new AbortController()
  const ended = followForever(docker, { instanceId, onEvent, signal: stop.signal })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

interface Watch {
  readonly instanceId: string
  readonly onEvent: (event: HostEvent) => void
  readonly signal: AbortSignal
}

async function followForever(docker: Docker, watch: Watch): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  while (!watch.signal.aborted) {
    const connected = await followOnce(docker, watch)
    pauseMs = connected ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    await sleep(pauseMs, undefined, { signal: watch.signal }).catch(() => undefined)
  }
}

/** Resolves when the connection ends, for whatever cause: with true if it had been established. */
async function followOnce(docker: Docker, { instanceId, onEvent, signal }: Watch): Promise<boolean> {
  let connected = false
  try {
    const label = [`${LABELS.instance}=${instanceId}`]
    const stream = await docker.getEvents({ filters: { type: ['container'], event: ['start', 'die'], label }, abortSignal: signal })
    connected = true
    let rest = ''
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const event of lines.flatMap(toHostEvent)) onEvent(event)
    }
  } catch {
    // Away, restarted, or aborted by us: the loop above decides.
  }
  return connected
}

function toHostEvent(line: string): readonly HostEvent[] {
  if (line.trim() === '') return []
  const event = JSON.parse(line) as DockerEvent
  const workerId = event.Actor?.Attributes?.[LABELS.worker]
  if (workerId === undefined) return []
  return [{ kind: event.Action === 'start' ? 'started' : 'died', workerId, at: (event.timeNano ?? 0) / 1e6 }]
}
