// The configuration of a host: one shape per kind. Unknown keys are rejected, because a misspelt one would be ignored silently.
import { z } from 'zod'
import { RunyardError } from './errors.ts'
import { LOCAL_SOCKET, parseEngineUrl, type EngineConnection } from './engine-connection.ts'

const bytes = z.coerce.number().int().min(0)
const common = {
  id: z.string().min(1).default('local').describe('name of the host in logs and in the API'),
  reservedMemoryBytes: bytes
    .optional()
    .describe('memory reserved for the host, Redis and Runyard (default: 2 GiB, or a quarter of a small host)'),
  gpuMemoryBytes: bytes
    .optional()
    .describe('memory limit of a GPU worker per GPU; 0: none (default: the GPU’s share of the unreserved memory)'),
  planeUrl: z.url().optional().describe('URL at which workers of this host reach the worker plane (default: workerPlane.url)'),
}

const Tls = z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() })

export const DockerHostConfig = z
  .strictObject({
    kind: z.literal('docker'),
    ...common,
    socket: z.string().optional().describe('short for engine: unix://…'),
    engine: z.string().optional().describe(`unix:///path, tcp://host:2376 or ssh://user@host (default: unix://${LOCAL_SOCKET})`),
    tls: Tls.optional().describe('paths of PEM files for a tcp engine: ca, cert, key'),
  })
  .check((context) => {
    const { value } = context
    const problem = value.socket !== undefined && value.engine !== undefined ? 'socket and engine name two engines' : problemOf(value)
    if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: value })
  })
export type DockerHostConfig = z.infer<typeof DockerHostConfig>

export const ProcessHostConfig = z.strictObject({ kind: z.literal('process'), ...common })
export type ProcessHostConfig = z.infer<typeof ProcessHostConfig>

export const HostConfig = z.discriminatedUnion('kind', [DockerHostConfig, ProcessHostConfig], {
  error: ({ code }) => (code === 'invalid_union' ? 'kind is docker or process' : undefined),
})
export type HostConfig = z.infer<typeof HostConfig>

/** Names identify hosts in logs, in the API and in the thread that follows logs. */
export const Hosts = z.array(HostConfig).check((context) => {
  const names = context.value.map(({ id }) => id)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return
  const message = `two hosts are called "${twice}": give each an id of its own`
  context.issues.push({ code: 'custom', message, input: context.value })
})

type EngineConfig = Pick<DockerHostConfig, 'socket' | 'engine' | 'tls'>

function parsed({ socket = LOCAL_SOCKET, engine = `unix://${socket}`, tls }: EngineConfig) {
  return parseEngineUrl(engine, tls)
}

function problemOf(config: EngineConfig): string | undefined {
  const connection = parsed(config)
  return 'problem' in connection ? connection.problem : undefined
}

/** The engine of a parsed configuration. */
export function engineOf(config: EngineConfig): EngineConnection {
  const connection = parsed(config)
  if ('problem' in connection) throw new RunyardError('bad_request', connection.problem)
  return connection
}
