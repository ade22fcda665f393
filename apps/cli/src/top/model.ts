// What `runyard top` shows and what its keys do, without a terminal: a snapshot and a state go in, lines come out.
import { stripVTControlCharacters } from 'node:util'
import type { Client } from '@runyard/client'
import { cardListing, cardsOf, whyOfCard, type CardRow } from '../output/card-rows.ts'
import { renderListing, type Listing } from '../output/listing.ts'
import { endpointListing, readRows, whyOf, type EndpointRow } from '../output/live-status.ts'
import type { Terminal } from '../output/terminal.ts'
import { listWorkers, workerListing, type WorkerRow } from '../output/worker-rows.ts'

export const PANES = ['cards', 'queues', 'workers'] as const
export type Pane = (typeof PANES)[number]

export interface Snapshot {
  readonly cards: readonly CardRow[]
  readonly queues: readonly EndpointRow[]
  readonly workers: readonly WorkerRow[]
}

export interface View {
  readonly pane: Pane
  /** Of the pane, among what is shown. */
  readonly selected: number
  readonly filter: string
  /** The filter is being typed. */
  readonly isTyping: boolean
  readonly isFaultsOnly: boolean
}

export const START: View = { pane: 'cards', selected: 0, filter: '', isTyping: false, isFaultsOnly: false }

/** What a key asks for beside another view. */
export type Wish = 'quit' | 'logs' | 'describe' | 'help' | undefined

/** A character, or the name of a special key. */
export type Key = { readonly text: string } | { readonly special: 'up' | 'down' | 'tab' | 'enter' | 'escape' | 'backspace' }

export async function readSnapshot(client: Client): Promise<Snapshot> {
  const [pool, queues] = await Promise.all([client.history.pool(), readRows(client)])
  return { cards: cardsOf(pool), queues, workers: await listWorkers(client, queues) }
}

const WISHES: Readonly<Record<string, Wish>> = { q: 'quit', l: 'logs', d: 'describe', '?': 'help' }

export function press(view: View, key: Key): { readonly view: View; readonly wish?: Wish } {
  if (view.isTyping) return { view: type(view, key) }
  if ('special' in key) return pressSpecial(view, key.special)
  if (key.text === '/') return { view: { ...view, isTyping: true, filter: '', selected: 0 } }
  if (key.text === 'z') return { view: { ...view, isFaultsOnly: !view.isFaultsOnly, selected: 0 } }
  if (key.text === 'j') return { view: { ...view, selected: view.selected + 1 } }
  if (key.text === 'k') return { view: { ...view, selected: Math.max(0, view.selected - 1) } }
  return { view, wish: WISHES[key.text] }
}

function pressSpecial(view: View, key: Extract<Key, { special: string }>['special']): { readonly view: View; readonly wish?: Wish } {
  if (key === 'enter') return { view, wish: 'describe' }
  if (key === 'tab') return { view: { ...view, pane: PANES[(PANES.indexOf(view.pane) + 1) % PANES.length] ?? 'cards', selected: 0 } }
  if (key === 'escape') return { view: { ...view, filter: '', isFaultsOnly: false, selected: 0 } }
  if (key === 'down') return press(view, { text: 'j' })
  return key === 'up' ? press(view, { text: 'k' }) : { view }
}

function type(view: View, key: Key): View {
  if ('text' in key) return { ...view, filter: `${view.filter}${key.text}` }
  if (key.special === 'backspace') return { ...view, filter: view.filter.slice(0, -1) }
  if (key.special === 'escape') return { ...view, filter: '', isTyping: false }
  return key.special === 'enter' ? { ...view, isTyping: false } : view
}

/** Endpoint and worker that the selected row stands for. */
export interface Subject {
  readonly title: string
  readonly endpoint?: string | undefined
  readonly worker?: string | undefined
}

interface Entry {
  readonly lines: readonly string[]
  readonly subject: Subject
}

export interface Drawn {
  readonly head: string
  readonly entries: readonly Entry[]
  readonly selected: number
}

/** The rows of the pane in front, filtered. */
export function drawPane(snapshot: Snapshot, view: View, out: Terminal): Drawn {
  const { pane, selected } = view
  if (pane === 'cards') {
    const rows = keep(snapshot.cards, view, (card) => whyOfCard(card) !== undefined)
    return draw({ listing: narrowed(cardListing(rows, out), view), selected, out, toSubject: subjectOfCard })
  }
  if (pane === 'queues') {
    const rows = keep(snapshot.queues, view, (row) => whyOf(row) !== undefined)
    return draw({
      listing: narrowed(endpointListing(rows, out), view),
      selected,
      out,
      toSubject: ({ id, name }) => ({ title: name, endpoint: id }),
    })
  }
  const rows = keep(snapshot.workers, view, ({ status, message }) => message !== undefined || status === 'UNHEALTHY')
  return draw({ listing: narrowed(workerListing(rows, out), view), selected, out, toSubject: subjectOfWorker })
}

/** Where a filter leaves no row, there are others. */
function narrowed<T>(listing: Listing<T>, { filter, isFaultsOnly }: View): Listing<T> {
  const empty = isFaultsOnly ? 'no faults; Esc shows all' : 'no row matches; Esc shows all'
  return isFaultsOnly || filter !== '' ? { ...listing, empty } : listing
}

function subjectOfCard({ holders: [holder], host, index }: CardRow): Subject {
  return { title: `${host.label}·${index}`, endpoint: holder?.endpoint?.name, worker: holder?.workerId ?? undefined }
}

/** What has no place yet has no log. */
function subjectOfWorker({ id, endpoint, image }: WorkerRow): Subject {
  return { title: id, endpoint, worker: image === null ? undefined : id }
}

function keep<T>(rows: readonly T[], { filter, isFaultsOnly }: View, isFault: (row: T) => boolean): readonly T[] {
  const wanted = filter.toLowerCase()
  return rows.filter((row) => (!isFaultsOnly || isFault(row)) && (wanted === '' || JSON.stringify(row).toLowerCase().includes(wanted)))
}

interface Drawing<T> {
  readonly listing: Listing<T>
  readonly selected: number
  readonly out: Terminal
  readonly toSubject: (row: T) => Subject
}

function draw<T>({ listing, selected, out, toSubject }: Drawing<T>): Drawn {
  const [head = '', ...lines] = renderListing(out, listing)
  if (listing.rows.length === 0) return { head, entries: [], selected: 0 }
  // A row has more lines where it has a note; those are indented.
  const entries: { lines: string[]; subject: Subject }[] = []
  for (const line of lines) {
    const row = listing.rows[entries.length]
    const isNote = stripVTControlCharacters(line).startsWith('  ')
    if (isNote || row === undefined) entries.at(-1)?.lines.push(line)
    else entries.push({ lines: [line], subject: toSubject(row) })
  }
  return { head, entries, selected: Math.min(selected, Math.max(0, entries.length - 1)) }
}

/** One line of totals, above all. */
export function summarise({ cards, queues, workers }: Snapshot): string {
  const held = cards.filter(({ holders }) => holders.length > 0).length
  const [running, waiting] = [
    queues.reduce((sum, { health }) => sum + health.jobs.inProgress, 0),
    queues.reduce((sum, { health }) => sum + health.jobs.inQueue, 0),
  ]
  const there = workers.filter(({ image }) => image !== null).length
  const jobs = `${running} ${running === 1 ? 'job runs' : 'jobs run'}, ${waiting} wait`
  return `${held} of ${cards.length} cards held · ${jobs} · ${there} ${there === 1 ? 'worker' : 'workers'}`
}
