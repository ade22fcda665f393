// The configuration of a host: one shape per kind. Unknown keys are rejected, because a misspelt one would be ignored silently. A host may also be written as
// one text, `process` or the URL of its engine, and without a kind it is a Docker host.
import { z } from 'zod'
import { RunyardError } from './errors.ts'
import { DATA_CENTERS } from './volume.ts'
import { LOCAL_SOCKET, parseEngineUrl, remoteNameIn, toEngineUrl, type EngineConnection } from './engine-connection.ts'

const SIMULATED = /^\s*$|^\s*[^:,]+(:\d{1,3})?\s*(,\s*[^:,]+(:\d{1,3})?\s*)*$/

/** `NVIDIA GeForce RTX 4090:2,NVIDIA L4`; a blank text is none. Any name is a card (ADR 10). */
export const SimulatedGpusText = z.string().regex(SIMULATED, 'simulatedGpus is written like "NVIDIA GeForce RTX 4090:2,NVIDIA L4:1"')

/** One sentence for a key that is none, and for a text in place of settings. */
const fields = <T extends z.ZodRawShape>(shape: T, words = 'settings are "name: value" lines') =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `a host has no setting "${issue.keys?.join('", "')}"` : words),
  })
/** A text of digits comes from a variable. Nothing else is a number: coerced, `true` would be 1 and an empty text 0. */
const whole = (least: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d+$/u.test(value) ? Number(value) : value),
    z.number('a whole number is needed').int('a whole number is needed').min(least, `the least is ${least}`),
  )
const bytes = whole(0)

const Limits = fields({
  workers: whole(0).optional().describe('how many workers the host may have at once'),
  memoryBytes: whole(1).optional().describe('memory of the host that counts for workers (default: all)'),
  cpus: whole(1).optional().describe('CPUs of the host that count for workers (default: all)'),
})

const Reserve = fields({
  gpus: z
    .union([z.array(z.string().regex(/^(GPU|MIG)-/)), z.int().min(0)], { error: 'reserve.gpus is a number of GPUs or a list of UUIDs' })
    .optional()
    .describe('GPUs that workers never get: UUIDs, or a number, which takes the last ones'),
  gpuMemoryMib: whole(0).optional().describe('memory of each GPU that is left to others; placement counts the rest'),
})

const SYSTEM_DIRECTORY = /^\/(?:bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|tmp|usr|var|home)$|^\/(?:dev|proc|sys)\//u

const Volumes = fields({
  path: z
    .string()
    .regex(/^\/.+/, 'volumes.path is an absolute path on the host')
    .refine((path) => !/\/\.{0,2}(?:\/|$)/u.test(path.replace(/(?<=.)\/$/u, '')), 'volumes.path has no "..", no "." and no empty part')
    .refine((path) => !SYSTEM_DIRECTORY.test(path), 'volumes.path is a directory of its own, not one of the system')
    .optional()
    .describe('directory on the host for the data of volumes (default: Docker volumes, or the data directory)'),
  shared: z.boolean().optional().describe('the path is the same storage on every host of the data center that says so, e.g. NFS'),
}).refine(({ path, shared }) => shared !== true || path !== undefined, 'volumes.shared needs volumes.path, the storage that is shared')

const common = {
  id: z
    .string({ error: 'each host needs an id, a text' })
    .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'an id has up to 63 letters, digits, ".", "_" and "-"')
    .default('local')
    .describe('name of the host in logs and in the API'),
  reservedMemoryBytes: bytes
    .optional()
    .describe('memory reserved for the host, Redis and Runyard (default: 2 GiB, or a quarter of a small host)'),
  gpuMemoryBytes: bytes
    .optional()
    .describe('memory limit of a GPU worker per GPU; 0: none (default: the GPU’s share of the unreserved memory)'),
  planeUrl: z
    .url({ protocol: /^https?$/u, error: 'planeUrl is an http or https URL such as http://192.168.1.5:8081' })
    .optional()
    .describe('URL at which workers of this host reach the worker plane (default: workerPlane.url)'),
  labels: z
    .record(z.string().regex(/^[\w.-]+$/u), z.string().regex(/^\P{Cc}*$/u, 'the text of a label is one line'), {
      error: ({ code }) =>
        code === 'invalid_key' ? 'a label is named by letters, digits, ".", "_" and "-"' : 'labels are "name: text" lines',
    })
    .optional()
    .describe('facts that the operator gives it'),
  dataCenter: z
    .enum(DATA_CENTERS, { error: `dataCenter is one of ${DATA_CENTERS.join(', ')}` })
    .optional()
    .describe('data center that clients see the host in; volumes belong to one (default: EU-RO-1)'),
  volumes: Volumes.optional(),
  limits: Limits.optional(),
  reserve: Reserve.optional(),
  cordon: z
    .union([z.boolean(), z.string().min(1)], { error: 'cordon is true, false or the reason' })
    .optional()
    .describe('no new workers for as long as this is written: true, or the reason'),
  preload: z
    .array(z.string().regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'preload names Python modules, such as torch or PIL.Image'), {
      error: 'preload is a list of Python modules',
    })
    .refine((modules) => modules.every((name) => name.split('.')[0] !== 'runpod'), 'runpod cannot be preloaded: it reads the environment')
    .optional()
    .describe('Python modules that workers of the default image import before their first job'),
  standby: whole(0).optional().describe('started workers of the default image that wait for an endpoint, some 100 MiB each (default: 0)'),
  simulatedGpus: SimulatedGpusText.optional().describe('simulated GPUs of this host (default: simulatedGpus of the configuration)'),
}

const PEM_FILES = 'tls names three PEM files: ca, cert and key'
const pem = z.string(PEM_FILES).min(1, PEM_FILES)
const Tls = fields({ ca: pem, cert: pem, key: pem }, PEM_FILES)

export const DockerHostConfig = fields({
  kind: z.literal('docker'),
  ...common,
  socket: z.string().optional().describe('short for engine: unix://…'),
  engine: z.string().optional().describe(`unix:///path, tcp://host:2376 or ssh://user@host (default: unix://${LOCAL_SOCKET})`),
  forwardPlane: z
    .boolean('forwardPlane is true or false')
    .optional()
    .describe('for ssh://: workers reach the worker plane through the ssh connection'),
  readyNetworks: whole(0)
    .optional()
    .describe('networks prepared for the next workers, each a container of some 10 MiB; 0: workers start slower (default: 2)'),
  tls: Tls.optional().describe('paths of PEM files for a tcp engine: ca, cert, key'),
}).check((context) => {
  const { value } = context
  const problem = value.socket !== undefined && value.engine !== undefined ? 'socket and engine name two engines' : problemOf(value)
  if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: value })
})
export type DockerHostConfig = z.infer<typeof DockerHostConfig>

export const ProcessHostConfig = fields({ kind: z.literal('process'), ...common })
export type ProcessHostConfig = z.infer<typeof ProcessHostConfig>

export const HostConfig = z.preprocess(
  inFull,
  z.discriminatedUnion('kind', [DockerHostConfig, ProcessHostConfig], {
    error: ({ code, input }) => {
      if (code !== 'invalid_union') return 'a host is process, the URL of an engine, or settings such as engine and labels'
      return typeof input === 'object' ? 'kind is docker or process' : undefined
    },
  }),
)
export type HostConfig = z.infer<typeof HostConfig>

/** `process`, `ssh://me@box` and `{ engine: ssh://me@box }` with the rest that each leaves out. */
function inFull(written: unknown): unknown {
  const host = typeof written === 'string' ? (written === 'process' ? { kind: written } : { engine: written }) : written
  if (!isRecord(host)) return host
  const { engine } = host
  // Named after the other machine, so that several remote hosts have different names.
  const name = typeof engine === 'string' ? remoteNameIn(engine)?.replaceAll(':', '-') : undefined
  return { kind: 'docker', ...(name === undefined ? {} : { id: name }), ...withoutBlanks(host) }
}

/** A name without a value is a setting that is not made, as in the rest of the file. */
function withoutBlanks(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const made = Object.entries(settings).filter(([, value]) => value !== null)
  return Object.fromEntries(made.map(([name, value]) => [name, isRecord(value) ? withoutBlanks(value) : value]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Names identify hosts in logs, in the API and in the thread that follows logs. */
export const Hosts = z.array(HostConfig).check((context) => {
  const { value, issues } = context
  if (issues.length > 0) return
  const named = firstTwice(value, ({ id }) => id)
  const placed = firstTwice(value, placeOf)
  if (named !== undefined) {
    const message = `two hosts are called "${named[0].id}": give each an id of its own`
    issues.push({ code: 'custom', message, input: value })
  } else if (placed !== undefined) {
    const [one, other] = placed
    const message = `"${one.id}" and "${other.id}" are one host, ${placeOf(one)}: keep one of them`
    issues.push({ code: 'custom', message, input: value })
  }
})

function firstTwice(hosts: readonly HostConfig[], facts: (host: HostConfig) => string): readonly [HostConfig, HostConfig] | undefined {
  const seen = new Map<string, HostConfig>()
  for (const host of hosts) {
    const other = seen.get(facts(host))
    if (other !== undefined) return [other, host]
    seen.set(facts(host), host)
  }
  return undefined
}

/** Where its workers run, as one text: `process` or the URL of its engine. */
export function placeOf(host: HostConfig): string {
  return host.kind === 'process' ? host.kind : toEngineUrl(engineOf(host))
}

type EngineConfig = Pick<DockerHostConfig, 'socket' | 'engine' | 'tls'>

function parsed({ socket = LOCAL_SOCKET, engine = `unix://${socket}`, tls }: EngineConfig) {
  return parseEngineUrl(engine, tls)
}

function problemOf(config: EngineConfig & Pick<DockerHostConfig, 'forwardPlane'>): string | undefined {
  const connection = parsed(config)
  if ('problem' in connection) return connection.problem
  if (config.tls !== undefined && connection.kind !== 'tcp') return 'tls is for an engine that tcp:// names'
  return config.forwardPlane === true && connection.kind !== 'ssh' ? 'forwardPlane needs an engine that ssh:// names' : undefined
}

/** The engine of a parsed configuration. */
export function engineOf(config: EngineConfig): EngineConnection {
  const connection = parsed(config)
  if ('problem' in connection) throw new RunyardError('bad_request', connection.problem)
  return connection
}
