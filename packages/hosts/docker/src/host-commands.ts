// Runs commands on the machine of an engine: as our children, over ssh, or, where only TLS leads there, in a container that sees all GPUs. In such a
// container only what the NVIDIA toolkit brings along exists. It has the processes of the host (`PidMode: host`), because the driver lists only
// processes of the caller's namespace. It ends with the connection that it was started over, and the engine removes it. Failure direction: a container
// that is refused throws, except where the engine has no way to hand out GPUs at all.
import { PassThrough, type Duplex } from 'node:stream'
import { followLocally, runLocally, type Follow, type FollowCommand, type RunCommand } from '@runyard/host-gpus'
import { RunyardError } from '@runyard/schema'
import type Docker from 'dockerode'
import { messageOf, toRunyardError } from './docker-errors.ts'
import { isLocal, type Engine } from './engine.ts'
import { WORKER_IMAGE } from './images.ts'
import { PROBE_LABEL, removeContainer } from './remove-container.ts'

export interface HostCommands {
  readonly run: RunCommand
  readonly follow: FollowCommand
}

const ENDS_WITHIN_MS = 20_000
/** As shells count SIGKILL. */
const ABORTED = 137

/** `image` has a shell and glibc. */
export function commandsOn(engine: Engine, image = WORKER_IMAGE): HostCommands {
  const { tunnel } = engine
  if (tunnel !== undefined) return { run: (file, args) => tunnel.run(file, args), follow: tunnel.follow }
  if (isLocal(engine)) return { run: runLocally, follow: followLocally }
  const follow: FollowCommand = (file, args, how) => followInContainer(engine, { command: [file, ...args], image }, how)
  return {
    follow,
    async run(file, args) {
      let output = ''
      const signal = AbortSignal.timeout(ENDS_WITHIN_MS)
      const exitCode = await follow(file, args, { signal, onOutput: (text) => void (output += text) })
      return exitCode === undefined ? undefined : output
    },
  }
}

/** Runs its arguments until they end or its standard input does: the engine closes that when the connection to us ends. */
const WHILE_CONNECTED = `exec 3<&0
"$@" </dev/null 3<&- & child=$!
{ read -r _ <&3; kill -9 "$child"; } >/dev/null 2>&1 &
exec 3<&-
wait "$child"`

interface Wanted {
  readonly command: readonly string[]
  readonly image: string
}

/** Undefined: no such command there, or no way to hand GPUs to containers. */
async function followInContainer(engine: Engine, wanted: Wanted, follow: Follow): Promise<number | undefined> {
  const docker = engine.docker()
  try {
    for (const way of waysToGpus((await docker.info()) as EngineInfo)) {
      const ended = await followOne(docker, { ...wanted, way }, follow)
      if (ended !== 'refused') return ended === 127 ? undefined : ended
    }
    return undefined
  } catch (error) {
    if (/No such image/i.test(messageOf(error))) throw noImage(engine, wanted, error)
    throw toRunyardError(error, { doing: `run ${wanted.command[0] ?? ''} in a container`, engine: engine.name })
  }
}

function noImage({ name }: Engine, { image }: Wanted, cause: unknown): RunyardError {
  return new RunyardError('internal', `GPUs on ${name} are asked for in a container of ${image}, which is not there yet.`, { cause })
}

type Way = Pick<Docker.HostConfig, 'DeviceRequests' | 'Runtime'>

interface EngineInfo {
  readonly Runtimes?: Readonly<Record<string, unknown>>
  readonly CDISpecDirs?: readonly string[] | null
}

/** As workers get them first; then what engines have that know no driver nvidia. */
function waysToGpus({ Runtimes = {}, CDISpecDirs }: EngineInfo): readonly Way[] {
  const hasCdi = (CDISpecDirs ?? []).length > 0
  return [
    { DeviceRequests: [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu', 'utility']] }] },
    ...('nvidia' in Runtimes ? [{ Runtime: 'nvidia' }] : []),
    ...(hasCdi ? [{ DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }] }] : []),
  ]
}

/** The engine has no such way. All else, such as a card that answers nothing, is not known to be none. */
const REFUSED = /could not select device driver|unresolvable CDI devices|unknown or invalid runtime name/i

async function followOne(
  docker: Docker,
  { command, image, way }: Wanted & { readonly way: Way },
  { onOutput, signal }: Follow,
): Promise<number | 'refused'> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: ['sh', '-c', WHILE_CONNECTED, 'sh', ...command],
    Cmd: [],
    Env: ['NVIDIA_VISIBLE_DEVICES=all', 'NVIDIA_DRIVER_CAPABILITIES=utility'],
    Labels: { [PROBE_LABEL]: 'yes' },
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: {
      ...way,
      AutoRemove: true,
      PidMode: 'host',
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      LogConfig: { Type: 'none', Config: {} },
    },
  })
  try {
    const stream = (await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true })) as Duplex
    const ended = readAttached(docker, stream, onOutput)
    const exited = container.wait({ condition: 'next-exit' }) as Promise<{ readonly StatusCode: number }>
    exited.catch(() => undefined)
    const abort = (): void => void stream.destroy()
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      await container.start()
      await ended
      return signal.aborted ? ABORTED : (await exited).StatusCode
    } finally {
      signal.removeEventListener('abort', abort)
      stream.destroy()
    }
  } catch (error) {
    if (REFUSED.test(messageOf(error))) return 'refused'
    throw error
  } finally {
    await removeContainer(container)
  }
}

/** Resolves when the connection has ended. */
function readAttached(docker: Docker, stream: Duplex, onOutput: (text: string) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const output = new PassThrough().setEncoding('utf8').on('data', onOutput)
  const modem = docker.modem as { demuxStream(from: NodeJS.ReadableStream, out: NodeJS.WritableStream, err: NodeJS.WritableStream): void }
  modem.demuxStream(stream, output, new PassThrough().resume())
  for (const event of ['end', 'close', 'error'] as const) stream.once(event, () => resolve())
  return promise
}
