// Short-lived containers that show what a worker on an engine would meet: whether it reaches the worker plane, whether it gets a GPU. Each is removed,
// whatever becomes of it.
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { HostFinding } from '@runyard/schema'
import type Docker from 'dockerode'
import { AGENT_MOUNT } from './container-spec.ts'
import { messageOf } from './docker-errors.ts'
import type { Engine } from './engine.ts'
import { PROBE_LABEL, removeContainer } from './remove-container.ts'
import { WORKER_NETWORK } from './worker-network.ts'

const ENDS_WITHIN_MS = 30_000
const LONGEST_OUTPUT = 300
const LATE = -1

export interface Probe {
  readonly image: string
  readonly entrypoint: readonly string[]
  readonly args: readonly string[]
  readonly host?: Docker.HostConfig
  /** Gets what the container prints. */
  readonly longest?: number
}

export interface Probed {
  /** -1: it did not end. */
  readonly exitCode: number
  readonly output: string
}

/** @throws what the engine says about a container that it does not start. */
export async function runProbe(docker: Docker, { image, entrypoint, args, host, longest = LONGEST_OUTPUT }: Probe): Promise<Probed> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [...entrypoint],
    Cmd: [...args],
    Tty: true,
    Labels: { [PROBE_LABEL]: 'yes' },
    HostConfig: { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], ReadonlyRootfs: true, ...host },
  })
  try {
    await container.start()
    const stop = new AbortController()
    const ended = container.wait() as Promise<{ readonly StatusCode: number }>
    ended.catch(() => undefined)
    const late = delay(ENDS_WITHIN_MS, { StatusCode: LATE }, { signal: stop.signal })
    const { StatusCode: exitCode } = await Promise.race([ended, late]).finally(() => stop.abort())
    late.catch(() => undefined)
    if (exitCode === LATE) return { exitCode, output: '' }
    // As a stream: dockerode parses other replies, and `3.11` is a number in JSON.
    const abortSignal = AbortSignal.timeout(ENDS_WITHIN_MS)
    const output = await text(await container.logs({ stdout: true, stderr: true, follow: true, abortSignal }))
    return { exitCode, output: output.trim().slice(0, longest) }
  } finally {
    await removeContainer(container)
  }
}

/** The worker plane answers this to everyone. */
const ASK = `fetch(process.argv[1], { signal: AbortSignal.timeout(10000) }).then(
  (response) => console.log(response.status),
  (error) => { console.log(error.cause?.code ?? error.cause?.message ?? error.message); process.exitCode = 1 })`

export interface PlaneProbe {
  readonly image: string
  readonly agentVolume: string
  readonly planeUrl: string
}

/** Does a container like a worker's get an answer from the worker plane? */
export async function provePlane(engine: Engine, { image, agentVolume, planeUrl }: PlaneProbe): Promise<HostFinding> {
  const subject = 'worker plane'
  const mend = `open ${planeUrl} for containers of the host in its firewall and in this machine’s, or give the host another planeUrl`
  const Mounts = [{ Type: 'volume' as const, Source: agentVolume, Target: AGENT_MOUNT, ReadOnly: true }]
  const probe = {
    image,
    entrypoint: [`${AGENT_MOUNT}/bin/node`, '-e'],
    args: [ASK, '--', `${planeUrl}/healthz`],
    host: { Mounts, NetworkMode: WORKER_NETWORK },
  }
  try {
    const { exitCode, output } = await runProbe(engine.docker(), probe)
    if (exitCode === 0) return { subject, verdict: 'ok', words: `a container on the host reaches ${planeUrl}` }
    const why = exitCode === -1 ? 'no answer' : output
    return { subject, verdict: 'missing', words: `a container on the host does not reach ${planeUrl} (${why})`, mend }
  } catch (error) {
    return { subject, verdict: 'missing', words: `no container starts to try the worker plane: ${messageOf(error)}`, mend }
  }
}
