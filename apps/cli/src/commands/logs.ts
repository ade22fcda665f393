// `runyard logs`: what workers printed and what happened to them, merged by time, with filters; `-f` follows. Lines are kept until an hour after the end
// of their worker.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, type LogSearch } from '@runyard/client'
import { RunyardError } from '@runyard/schema'
import type { MergedLine } from '@runyard/schema/api'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { timeFormOf } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import type { Terminal } from '../output/terminal.ts'
import { formatTime, parseSince } from '../output/time.ts'
import { findClient } from '../settings.ts'
import { listenForStop } from '../stop-signals.ts'
import { findEndpoint } from './endpoints/find.ts'
import { readNumber, whole } from '../number-option.ts'
import { findJob } from './jobs.ts'

const AGAIN_MS = 1000
const SOURCES = ['container', 'system', 'all'] as const
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const client = await findClient(context)
  const search = await readSearch(context, client)
  const { lines, workers } = await client.history.logs(search)
  if (workers === 0 && search.worker !== undefined)
    throw new RunyardError('not_found', `there is no worker or endpoint "${search.worker}".`)
  if (options['follow'] === true) return follow(client, { search, print: createPrinter(context), lines, out: context.out })
  if (options['json'] === true && out.form === 'json') return printJson(out, lines)
  printLines(context, lines)
  return 0
}

function printLines(context: CommandContext, lines: readonly MergedLine[]): void {
  const print = createPrinter(context)
  for (const line of lines) print(line)
  if (lines.length > 0 || context.options['json'] === true) return
  context.out.line(context.out.dim('no lines; `runyard jobs` and `runyard workers` show what there is'))
}

async function readSearch(context: CommandContext, client: Client): Promise<LogSearch> {
  const [word, ...more] = context.positionals
  if (more.length > 0) throw new UsageError(`name one endpoint or worker, or none for all; ${context.positionals.length} were given.`)
  const [since, job, level, source] = ['since', 'job', 'level', 'source'].map((name) => textOption(context, name))
  return {
    ...(word === undefined ? {} : await findSubject(client, word, context.err)),
    source: SOURCES.find((each) => each === source) ?? 'all',
    limit: readNumber(context, 'tail', whole({ min: 1, max: 2000 })) ?? 200,
    q: textOption(context, 'grep'),
    job: job === undefined ? undefined : (await findJob(client, job, context.err)).id,
    level: LEVELS.find((each) => each === level),
    from: since === undefined ? undefined : parseSince(since, Date.now()),
  }
}

/** What is no endpoint is a worker, which may be gone. */
async function findSubject(client: Client, word: string, err: Terminal): Promise<Pick<LogSearch, 'endpoint' | 'worker'>> {
  try {
    return { endpoint: (await findEndpoint(client, word, err)).id }
  } catch (error) {
    if (error instanceof RunyardError && error.code === 'not_found') return { worker: word }
    throw error
  }
}

interface Following {
  readonly out: CommandContext['out']
  readonly search: LogSearch
  readonly print: (line: MergedLine) => void
  /** Those that are there already. */
  readonly lines: readonly MergedLine[]
}

/** Goes on where it stopped when a gateway goes away. */
async function follow(client: Client, { search, print, lines, out }: Following): Promise<number> {
  for (const line of lines) print(line)
  const last = lines.at(-1)?.at
  using signals = listenForStop(out)
  const signal = signals.polite
  let after: string | undefined
  const from = last === undefined ? Date.now() : last + 1
  while (!signal.aborted) {
    try {
      for await (const { id, data } of client.history.followLogs({ ...search, from }, { after, signal })) {
        after = id ?? after
        print(data)
      }
    } catch (error) {
      if (!signal.aborted && !isLost(error)) throw error
    }
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => {})
  }
  return 0
}

/** The gateway is away, or broke the stream off. */
function isLost(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof RunyardError && error.code === 'store_unavailable')
}

function createPrinter(context: CommandContext): (line: MergedLine) => void {
  const { out, options } = context
  if (options['json'] === true) return (line) => void printJson({ write: out.write, form: 'jsonl' }, [line])
  if (options['raw'] === true) return ({ line }) => out.write(`${line}\n`)
  const form = options['time'] === undefined ? undefined : timeFormOf(context)
  return ({ at, workerId, source, line, level }) => {
    const time = form !== undefined ? formatTime(at, form) : out.isTty ? clockOf(at) : new Date(at).toISOString()
    const text = source === 'system' ? out.dim(line) : paint(level, out)(messageOf(line))
    out.line(`${out.dim(`${time}  ${workerId}`)}  ${text}`)
  }
}

function paint(level: MergedLine['level'], out: Terminal): (text: string) => string {
  if (level === 'error') return out.bad
  return level === 'warn' ? out.warn : (text) => text
}

/** `14:07:41.042`, by the clock here. */
function clockOf(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(11, 23)
}

/** Of a JSON line what it says; `--raw` shows all of it. */
function messageOf(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const { msg, message, level } = JSON.parse(line) as Record<string, unknown>
    const text = [msg, message].find((each) => typeof each === 'string')
    return typeof text === 'string' ? `${typeof level === 'string' ? `${level.toUpperCase()}  ` : ''}${text}` : line
  } catch {
    return line
  }
}
