// Converts the options of `endpoints create` and `endpoints update` to a body of REST v2 (management §3.2). Rejects invalid numbers and pairs;
// everything else is validated by the server, whose sentences `inOptions` says in the words of the options.
import { defined } from '@runyard/core'
import { describeIssue, ENDPOINT_RANGES, quoted, RunyardError } from '@runyard/schema'
import { CpuSize, type EndpointBody } from '@runyard/schema/api'
import { listOption, textOption, UsageError, type CommandContext } from '../../command.ts'
import { readNumber, whole, type NumberRange } from '../../number-option.ts'

type Options = Pick<CommandContext, 'options'>

/** Options of endpoints that are numbers. */
const NUMBERS = {
  disk: whole(ENDPOINT_RANGES.diskGb),
  'gpu-count': whole(ENDPOINT_RANGES.gpuCount),
  'idle-timeout': whole(ENDPOINT_RANGES.idleTimeoutS),
  'jobs-per-worker': whole(ENDPOINT_RANGES.requestCount),
  priority: whole(ENDPOINT_RANGES.priority),
  'requests-per-second': { ...ENDPOINT_RANGES.requestsPerSecond, isWhole: false },
  'queue-delay': { ...ENDPOINT_RANGES.queueDelayS, isWhole: false },
  timeout: { ...ENDPOINT_RANGES.executionTimeoutS, isWhole: false, zero: 'no limit' },
} as const satisfies Readonly<Record<string, NumberRange>>

/** The option that sets a field of the API. */
const OPTIONS: Readonly<Record<string, string>> = {
  'workers.min': 'workers',
  'workers.max': 'workers',
  'workers.idleTimeout': 'idle-timeout',
  'scaling.queueDelay': 'queue-delay',
  'scaling.requestCount': 'jobs-per-worker',
  'gpu.pools': 'gpu',
  'gpu.excludedTypes': 'gpu',
  gpuIds: 'gpu',
  idleTimeout: 'idle-timeout',
  'gpu.count': 'gpu-count',
  name: 'name',
  image: 'image',
  args: 'command',
  disk: 'disk',
  timeout: 'timeout',
  priority: 'priority',
  requestsPerSecond: 'requests-per-second',
  registry: 'registry',
}

/** Contains only the named options. @throws UsageError */
export function readBody(context: Options): EndpointBody {
  return defined({
    name: textOption(context, 'name'),
    image: textOption(context, 'image'),
    args: textOption(context, 'command'),
    disk: readBounded(context, 'disk'),
    gpu: readGpu(context),
    cpu: readCpu(context),
    workers: readWorkers(context),
    scaling: readScaling(context),
    timeout: inMs(readBounded(context, 'timeout')),
    priority: readBounded(context, 'priority'),
    requestsPerSecond: readBounded(context, 'requests-per-second'),
  })
}

/** A refusal of the API with the option in place of the field that it names. */
export function inOptions(error: RunyardError): RunyardError {
  const fields = /^(?:"([a-zA-Z.]+)"|(gpuIds|idleTimeout))(?= )/u
  const [subject = '', quotedField, field = quotedField ?? ''] = fields.exec(error.message) ?? []
  const option = Object.hasOwn(OPTIONS, field) ? OPTIONS[field] : undefined
  return option === undefined ? error : new RunyardError(error.code, `--${option}${error.message.slice(subject.length)}`, { cause: error })
}

/** Each text is `NAME=VALUE`. @throws UsageError */
export function readEnv(context: Options): Readonly<Record<string, string>> {
  return Object.fromEntries(
    listOption(context, 'env').map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new UsageError(`--env takes NAME=VALUE; "${pair}" is not such a pair.`)
      if (/[\s\p{Cc}]/u.test(pair.slice(0, at)))
        throw new UsageError(
          `--env takes NAME=VALUE, and ${quoted(pair.slice(0, at))} is no NAME: it has no blanks and no control characters.`,
        )
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

function readGpu(context: Options): EndpointBody['gpu'] {
  const tokens = textOption(context, 'gpu')
    ?.split(',')
    .map((token) => token.trim())
  const count = readBounded(context, 'gpu-count')
  if (tokens === undefined) return count === undefined ? undefined : { count }
  const excludedTypes = tokens.filter((token) => token.startsWith('-')).map((token) => token.slice(1))
  const pools = tokens.filter((token) => token !== '' && !token.startsWith('-'))
  if (pools.length === 0)
    throw new UsageError(
      `--gpu names what a worker may have, and "${textOption(context, 'gpu')}" names nothing; e.g. any,-NVIDIA L4 is every card but that one.`,
    )
  return { pools, ...(excludedTypes.length > 0 && { excludedTypes }), ...(count !== undefined && { count }) }
}

/** `cpu3g-2-8`: flavor, vCPUs, GB; the GB are optional. */
function readCpu(context: Options): CpuSize[] | undefined {
  const text = textOption(context, 'cpu')
  if (text === undefined) return undefined
  const takes = '--cpu takes a size such as cpu3g-2-8 (2 vCPU, 8 GB)'
  const [, id, vcpus, memory] = /^([a-z0-9]+)-(\d+)(?:-(\d+))?$/u.exec(text) ?? []
  if (id === undefined || vcpus === undefined) throw new UsageError(`${takes}; "${text}" is none.`)
  const parsed = CpuSize.safeParse({ id, vcpuCount: Number(vcpus), ...(memory !== undefined && { memory: Number(memory) }) })
  if (parsed.success) return [parsed.data]
  const [issue] = parsed.error.issues
  const part = CPU_PARTS[String(issue?.path[0])] ?? 'a part'
  throw new UsageError(`${takes}; in "${text}" ${part} ${issue === undefined ? 'is wrong' : describeIssue(issue)}.`)
}

const CPU_PARTS: Readonly<Record<string, string>> = {
  id: 'the flavor',
  vcpuCount: 'the number of vCPUs',
  memory: 'the number of GB',
}

function readBounded(context: Options, name: keyof typeof NUMBERS): number | undefined {
  return readNumber(context, name, NUMBERS[name])
}

/** `0..3`, or `3`, which keeps the minimum. */
function readWorkers(context: Options): EndpointBody['workers'] {
  const idleTimeout = readBounded(context, 'idle-timeout')
  const text = textOption(context, 'workers')
  const [, min, max] = /^(?:(\d+)\.\.)?(\d+)$/u.exec(text ?? '') ?? []
  if (text !== undefined && max === undefined)
    throw new UsageError(`--workers takes MIN..MAX such as 0..3, or MAX alone; "${text}" is neither.`)
  const workers = defined({ min: toNumber(min), max: toNumber(max), idleTimeout })
  return Object.keys(workers).length === 0 ? undefined : workers
}

function readScaling(context: Options): EndpointBody['scaling'] {
  const [queueDelay, requestCount] = [readBounded(context, 'queue-delay'), readBounded(context, 'jobs-per-worker')]
  if (queueDelay !== undefined && requestCount !== undefined)
    throw new UsageError('--queue-delay and --jobs-per-worker exclude each other; name one of them.')
  if (requestCount !== undefined) return { type: 'REQUEST_COUNT', requestCount }
  return queueDelay === undefined ? undefined : { type: 'QUEUE_DELAY', queueDelay }
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}
