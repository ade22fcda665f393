// `runyard run`: sends one job and waits for it. Progress goes to stderr and the result to stdout. Exit codes: 0 completed, 1 not, 130 after Ctrl-C,
// which cancels the job.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Client } from '@runyard/client'
import { errorMessage, systemCode, ENDPOINT_RANGES, RunyardError } from '@runyard/schema'
import type { EndpointView, JobBody, JobView } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printJson } from '../output/print-json.ts'
import { findClient } from '../settings.ts'
import { listenForStop } from '../stop-signals.ts'
import { createJobLine, type JobLine } from '../output/job-line.ts'
import { findEndpoint } from './endpoints/find.ts'
import { readNumber } from '../number-option.ts'
import { runBatch, type BatchLine } from './run-batch.ts'

const LOOK_EVERY_MS = 1000
const INTERRUPTED = 130

export async function run(context: CommandContext): Promise<number> {
  const { positionals, options } = context
  const [word, given, ...more] = positionals
  const modes = ['sync', 'stream', 'async', 'batch'].filter((mode) => options[mode] !== undefined)
  if (word === undefined || more.length > 0) throw new UsageError('name an endpoint, and after it at most one input: JSON, @FILE or -.')
  if (modes.length > 1) throw new UsageError(`--${modes.join(' and --')} exclude each other.`)
  const batch = textOption(context, 'batch')
  if (batch !== undefined && given !== undefined) throw new UsageError('--batch takes its inputs from the file; name no other.')
  const timeoutS = readNumber(context, 'timeout', { min: 0, max: ENDPOINT_RANGES.executionTimeoutS.max, isWhole: false })
  const body = batch === undefined ? toBody(await readInput(given), 'the input') : undefined
  const lines = batch === undefined ? undefined : readLines(await readSource(batch))
  const client = await findClient(context)
  const endpoint = await findEndpoint(client, word, context.err)
  if (lines !== undefined) return runBatch(context, { client, endpoint, lines })
  return runOne(context, { client, endpoint, body: body ?? { input: {} }, timeoutS })
}

interface OneRun {
  readonly client: Client
  readonly endpoint: EndpointView
  readonly body: JobBody
  readonly timeoutS: number | undefined
}

async function runOne(context: CommandContext, { client, endpoint, body, timeoutS }: OneRun): Promise<number> {
  const { out, err, options } = context
  const job = await client.jobs.run(endpoint.id, body)
  if (options['async'] === true) {
    if (options['json'] === true) return printJson(out, job)
    out.line(job.id)
    return 0
  }
  using signals = listenForStop()
  const expired = timeoutS === undefined ? undefined : AbortSignal.timeout(timeoutS * 1000)
  const stop = expired === undefined ? signals.polite : AbortSignal.any([signals.polite, expired])
  const line = createJobLine(err)
  const follow = options['stream'] === true ? followStream : followStatus
  const ended = await follow({ client, endpoint, job, stop, line, context })
  line.end()
  if (ended !== undefined) return printEnd(context, ended)
  await client.jobs.cancel(endpoint.id, job.id)
  err.line(`${job.id} is cancelled${signals.polite.aborted ? '' : `: it took longer than ${timeoutS} s`}`)
  return signals.polite.aborted ? INTERRUPTED : 1
}

interface Following {
  readonly client: Client
  readonly endpoint: EndpointView
  readonly job: JobView
  readonly stop: AbortSignal
  readonly line: JobLine
  readonly context: CommandContext
}

/** The ended job, or undefined if it is to be stopped. */
async function followStatus({ client, endpoint, job, stop, line }: Following): Promise<JobView | undefined> {
  while (!stop.aborted) {
    const seen = await client.jobs.waitFor(endpoint.id, job.id, LOOK_EVERY_MS)
    if (isEnded(seen)) return seen
    if (!stop.aborted) line.show(await client.jobs.status(endpoint.id, job.id))
  }
  return undefined
}

async function followStream(following: Following): Promise<JobView | undefined> {
  const { client, endpoint, job, stop, line, context } = following
  while (!stop.aborted) {
    const { status, stream } = await client.jobs.stream(endpoint.id, job.id)
    if (stream.length > 0) line.end()
    for (const { output } of stream) printJson({ ...context.out, form: 'jsonl' }, [output])
    if (!isEnded({ status })) continue
    const ended = await client.jobs.status(endpoint.id, job.id)
    // The chunks are its output.
    return { id: ended.id, status: ended.status, ...(ended.error !== undefined && { error: ended.error }) }
  }
  return undefined
}

function isEnded({ status }: Pick<JobView, 'status'>): boolean {
  return status !== 'IN_QUEUE' && status !== 'IN_PROGRESS'
}

function printEnd({ out, err, options }: CommandContext, job: JobView): number {
  if (options['json'] === true) printJson(out, job)
  else if (job.output !== undefined) printJson(out, job.output)
  if (job.status === 'COMPLETED') return 0
  err.line(`${err.bad(job.status)}  ${job.id}`)
  // A traceback has several lines.
  for (const line of (job.error ?? '').split('\n').filter((each) => each !== '')) err.line(line)
  return 1
}

/** `'{"x": 1}'`, `@FILE`, `-` (standard input), or nothing. */
async function readInput(given: string | undefined): Promise<string> {
  if (given === undefined) return '{}'
  if (given === '-') return readSource('-')
  return given.startsWith('@') ? readSource(given.slice(1)) : given
}

async function readSource(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new RunyardError('not_found', `${file} cannot be read (${systemCode(error)}).`, { cause: error })
  }
}

function readLines(source: string): readonly BatchLine[] {
  const lines = source.split('\n').map((line, index) => [line.trim(), index + 1] as const)
  return lines.filter(([line]) => line !== '').map(([line, number]) => ({ number, body: toBody(line, `line ${number}`) }))
}

/** An object with an `input` is a whole request, as the API takes it; anything else is the input. @throws UsageError */
export function toBody(source: string, what: string): JobBody {
  const parsed = parse(source, what)
  const isRequest = typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, 'input')
  return isRequest ? (parsed as JobBody) : { input: parsed }
}

function parse(source: string, what: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new UsageError(`${what} is no JSON: ${errorMessage(error)}`, { cause: error })
  }
}
