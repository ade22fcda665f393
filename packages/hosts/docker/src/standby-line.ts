// The stdin of a container that stands by (ADR 56). It is attached when the container starts, so that the hand-over of an endpoint is one write instead
// of several calls of the engine. Failure direction: a broken line is reported, and the caller starts the worker as if nothing was prepared.
import type Docker from 'dockerode'

/** An engine that accepts no connection within this time is away. */
const ATTACH_WITHIN_MS = 30_000

export interface Assignment {
  /** What changes against the limits that the container has. */
  readonly limits: Docker.HostConfig
  readonly env: Readonly<Record<string, string>>
}

export type StandbyLine = Awaited<ReturnType<typeof openStandbyLine>>

/** `docker` has no time limit of its own: it would end a line on which nothing is said. */
export async function openStandbyLine(docker: Docker, name: string) {
  const container = docker.getContainer(name)
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), ATTACH_WITHIN_MS)
  const options = { stream: true, stdin: true, hijack: true, abortSignal: late.signal }
  const stream = await container.attach(options).finally(() => clearTimeout(timer))
  let isOpen = true
  const broken = (): void => {
    isOpen = false
  }
  for (const event of ['error', 'end', 'close']) stream.on(event, broken)
  stream.resume()
  return {
    /** False once the container, the engine or the connection has ended. */
    isOpen: (): boolean => isOpen,
    /** The worker begins with its environment and runs no job before it has its limits. @throws if the engine refuses, or the container does not run any more. */
    async handOver({ limits, env }: Assignment): Promise<void> {
      try {
        const limited = Object.keys(limits).length === 0 ? undefined : container.update(limits)
        // A line into a container that has just ended is accepted, too.
        await Promise.all([write(stream, `${JSON.stringify({ env })}\n`), limited, assertRuns(container)])
        await write(stream, `${JSON.stringify({ limited: true })}\n`)
      } finally {
        stream.end()
      }
    },
    close: (): void => void stream.end(),
  }
}

async function assertRuns(container: Docker.Container): Promise<void> {
  const { State } = await container.inspect()
  if (!State.Running) throw new Error('it has ended')
}

function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.write(text, (error) => (error == null ? resolve() : reject(error)))
  })
}
