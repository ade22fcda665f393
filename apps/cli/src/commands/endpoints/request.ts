// Converts the options of `endpoints create` and `endpoints update` to a body of REST v2 (management §3.2). Rejects invalid numbers and pairs;
// everything else is validated by the server.
import { defined } from '@runyard/core'
import type { CpuSize, EndpointBody } from '@runyard/schema/api'
import { listOption, textOption, UsageError, type CommandContext } from '../../command.ts'

type Options = Pick<CommandContext, 'options'>

/** Contains only the named options. @throws UsageError */
export function readBody(context: Options): EndpointBody {
  return defined({
    name: textOption(context, 'name'),
    image: textOption(context, 'image'),
    args: textOption(context, 'command'),
    disk: readNumber(context, 'disk'),
    gpu: readGpu(context),
    cpu: readCpu(context),
    workers: readWorkers(context),
    scaling: readScaling(context),
    timeout: inMs(readNumber(context, 'timeout')),
    priority: readNumber(context, 'priority'),
  })
}

/** Each text is `NAME=VALUE`. @throws UsageError */
export function readEnv(context: Options): Readonly<Record<string, string>> {
  return Object.fromEntries(
    listOption(context, 'env').map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new UsageError(`--env takes NAME=VALUE; "${pair}" is not such a pair.`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

function readGpu(context: Options): EndpointBody['gpu'] {
  const tokens = textOption(context, 'gpu')
    ?.split(',')
    .map((token) => token.trim())
  const count = readNumber(context, 'gpu-count')
  if (tokens === undefined) return count === undefined ? undefined : { count }
  const excludedTypes = tokens.filter((token) => token.startsWith('-')).map((token) => token.slice(1))
  const pools = tokens.filter((token) => token !== '' && !token.startsWith('-'))
  return { pools, ...(excludedTypes.length > 0 && { excludedTypes }), ...(count !== undefined && { count }) }
}

/** `cpu3g-2-8`: flavor, vCPUs, GB; the GB are optional. */
function readCpu(context: Options): CpuSize[] | undefined {
  const text = textOption(context, 'cpu')
  if (text === undefined) return undefined
  const [, id, vcpus, memory] = /^([a-z0-9]+)-(\d+)(?:-(\d+))?$/u.exec(text) ?? []
  if (id === undefined || vcpus === undefined)
    throw new UsageError(`--cpu takes a size such as cpu3g-2-8 (2 vCPU, 8 GB); "${text}" is none.`)
  return [{ id, vcpuCount: Number(vcpus), ...(memory !== undefined && { memory: Number(memory) }) }]
}

/** `0..3`, or `3`, which keeps the minimum. */
function readWorkers(context: Options): EndpointBody['workers'] {
  const idleTimeout = readNumber(context, 'idle-timeout')
  const text = textOption(context, 'workers')
  const [, min, max] = /^(?:(\d+)\.\.)?(\d+)$/u.exec(text ?? '') ?? []
  if (text !== undefined && max === undefined)
    throw new UsageError(`--workers takes MIN..MAX such as 0..3, or MAX alone; "${text}" is neither.`)
  const workers = defined({ min: toNumber(min), max: toNumber(max), idleTimeout })
  return Object.keys(workers).length === 0 ? undefined : workers
}

function readScaling(context: Options): EndpointBody['scaling'] {
  const [queueDelay, requestCount] = [readNumber(context, 'queue-delay'), readNumber(context, 'jobs-per-worker')]
  if (queueDelay !== undefined && requestCount !== undefined)
    throw new UsageError('--queue-delay and --jobs-per-worker exclude each other; name one of them.')
  if (requestCount !== undefined) return { type: 'REQUEST_COUNT', requestCount }
  return queueDelay === undefined ? undefined : { type: 'QUEUE_DELAY', queueDelay }
}

export function readNumber(context: Options, name: string): number | undefined {
  const text = textOption(context, name)
  if (text === undefined || /^\d+(\.\d+)?$/u.test(text)) return toNumber(text)
  throw new UsageError(`--${name} takes a number; "${text}" is none.`)
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}
