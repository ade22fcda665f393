// `runyard events`: what happened to endpoints, their workers and jobs, merged by time; `-f` goes on. Events have no ids, so a follower reads the latest
// ones again and prints those that it has not seen.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@runyard/client'
import { RunyardError, type EndpointEvent, type EventSubject } from '@runyard/schema'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { printListing, timeFormOf, type Listing } from '../output/listing.ts'
import { printJson } from '../output/print-json.ts'
import { formatTime, parseSince } from '../output/time.ts'
import { findClient } from '../settings.ts'
import { listenForStop } from '../stop-signals.ts'
import { findEndpoint } from './endpoints/find.ts'
import { readNumber, whole } from '../number-option.ts'

const LOOK_EVERY_MS = 2000
const DEFAULT_TAIL = 50
/** The most that the route returns. */
const MOST = 1000
const SUBJECTS = ['workers', 'jobs'] as const

interface NamedEvent extends EndpointEvent {
  readonly endpoint: string
}

interface EventSearch {
  /** Undefined: all. */
  readonly endpoint: { readonly id: string; readonly name: string } | undefined
  readonly about: EventSubject
}

export async function run(context: CommandContext): Promise<number> {
  const { out, options } = context
  const { tail, since, about } = readOptions(context)
  const client = await findClient(context)
  const search = { endpoint: await findNamed(context, client), about }
  const all = await readEvents(client, search)
  const matching = all.filter(({ at }) => at >= since)
  const rows = matching.slice(-tail)
  if (options['follow'] === true) return follow(context, { client, search, all, rows })
  const code = printListing(context, eventListing(context, rows))
  const hidden = matching.length - rows.length
  if (hidden > 0 && options['json'] !== true) out.line(out.dim(`… and ${hidden} older ones; --tail N shows up to ${MOST}`))
  return code
}

/** @throws UsageError */
function readOptions(context: CommandContext) {
  const tail = readNumber(context, 'tail', whole({ min: 1, max: MOST })) ?? DEFAULT_TAIL
  const since = textOption(context, 'since')
  const about: EventSubject = SUBJECTS.find((each) => each === context.options['about']) ?? 'all'
  return { tail, since: since === undefined ? 0 : parseSince(since, Date.now()), about }
}

async function findNamed({ positionals: [word, ...more], err }: CommandContext, client: Client): Promise<EventSearch['endpoint']> {
  if (more.length > 0) throw new UsageError(`name one endpoint, or none for all; ${more.length + 1} were given.`)
  return word === undefined ? undefined : findEndpoint(client, word, err)
}

/** Oldest first. */
async function readEvents(client: Client, { endpoint, about }: EventSearch): Promise<readonly NamedEvent[]> {
  const endpoints = endpoint === undefined ? await client.listEndpoints() : [endpoint]
  const lists = await Promise.all(
    endpoints.map(async ({ id, name }) => {
      const events = await client.listEvents(id, { limit: MOST, about }).catch((error: unknown) => {
        // Of all endpoints one may be deleted meanwhile.
        if (endpoint === undefined && error instanceof RunyardError && error.code === 'not_found') return []
        throw error
      })
      return events.map((event) => ({ endpoint: name, ...event }))
    }),
  )
  return lists.flat().toSorted((a, b) => a.at - b.at)
}

interface Following {
  readonly client: Client
  readonly search: EventSearch
  /** All that are there already. */
  readonly all: readonly NamedEvent[]
  /** Those of them that are printed. */
  readonly rows: readonly NamedEvent[]
}

/** Goes on when a gateway was away. */
async function follow(context: CommandContext, { client, search, all, rows }: Following): Promise<number> {
  const print = createPrinter(context)
  for (const event of rows) print(event)
  using signals = listenForStop(context.out)
  const signal = signals.polite
  let known = countEach(all)
  while (!signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return 0
    const now = await readEvents(client, search).catch((error: unknown) => {
      if (error instanceof RunyardError && error.code === 'store_unavailable') return undefined
      throw error
    })
    if (now === undefined) continue
    for (const event of unseen(now, known)) print(event)
    known = countEach(now)
  }
  return 0
}

/** Several events of one kind in the same millisecond are several. */
function countEach(events: readonly NamedEvent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const event of events) counts.set(JSON.stringify(event), (counts.get(JSON.stringify(event)) ?? 0) + 1)
  return counts
}

function unseen(events: readonly NamedEvent[], known: ReadonlyMap<string, number>): readonly NamedEvent[] {
  const left = new Map(known)
  return events.filter((event) => {
    const count = left.get(JSON.stringify(event)) ?? 0
    left.set(JSON.stringify(event), count - 1)
    return count <= 0
  })
}

function createPrinter(context: CommandContext): (event: NamedEvent) => void {
  const { out, options } = context
  if (options['json'] === true) return (event) => void printJson({ write: out.write, form: 'jsonl' }, [event])
  // An age would be wrong as soon as it has been printed.
  const form = options['time'] === undefined ? (out.isTty ? 'local' : 'utc') : timeFormOf(context)
  return (event) => {
    const words = [event.endpoint, kindOf(event), subjectOf(event), detailOf(event), event.message ?? '']
    out.line(`${out.dim(formatTime(event.at, form))}  ${words.filter((each) => each !== '').join('  ')}`)
  }
}

function eventListing(context: CommandContext, rows: readonly NamedEvent[]): Listing<NamedEvent> {
  const time = timeFormOf(context)
  return {
    rows,
    columns: [
      { title: 'when', cell: ({ at }) => formatTime(at, time) },
      { title: 'endpoint', cell: ({ endpoint }) => endpoint, cut: 'middle', goes: 3 },
      { title: 'event', cell: kindOf },
      { title: 'of', cell: (event) => subjectOf(event) || '–', cut: 'id', goes: 2 },
      { title: 'detail', cell: (event) => detailOf(event) || '–', cut: 'end', goes: 1 },
    ],
    note: ({ message }) => message,
    noteTitle: 'why',
    data: rows,
    empty: 'no events',
  }
}

const kindOf = ({ kind }: NamedEvent): string => kind.replaceAll('_', ' ')
const subjectOf = ({ jobId, workerId }: NamedEvent): string => jobId ?? workerId ?? ''
const detailOf = ({ status, reason }: NamedEvent): string => [status, reason].filter((each) => each !== undefined).join(', ')
