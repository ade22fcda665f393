// Shows the state of the stack, one row per endpoint: on a terminal a block that redraws itself, otherwise a line per change.
import type { Client } from '@runyard/client'
import type { HealthView } from '@runyard/schema/api'
import { renderListing, type Listing } from './listing.ts'
import { alignColumns, type Terminal } from './terminal.ts'
import { withTimes } from './time.ts'
import { cutMiddle, toVisible, widthOf, wrap } from './visible.ts'

const HEAD = ['endpoint', 'queued', 'running', 'done', 'failed', 'workers'] as const
/** Below this width the numbers get two columns less, and the workers a line of their own. */
const NARROW = 60
const NARROWEST = 40
const SHORTEST_NAME = 8

export interface EndpointRow {
  readonly id: string
  readonly name: string
  readonly health: HealthView
}

export type StatusBlock = ReturnType<typeof createStatusBlock>

/** @throws RunyardError while the gateway is unavailable. */
export async function readRows(client: Client): Promise<readonly EndpointRow[]> {
  const endpoints = await client.listEndpoints()
  return Promise.all(endpoints.map(async ({ id, name }) => ({ id, name, health: await client.jobs.health(id) })))
}

/**
 * On a terminal each line takes one row: it is cut to the width, and wrapping is off while it is drawn. Moving up by the number of rows therefore
 * finds the start of the block, even after the terminal became narrower, which wraps the existing lines.
 */
export function createStatusBlock(out: Terminal) {
  let rows: readonly EndpointRow[] | undefined
  let drawn: readonly string[] = []
  const erase = (): void => {
    const height = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / out.columns)), 0)
    if (height > 0) out.write(`\r\u001B[${height}A\u001B[J`)
  }
  const draw = (lines: readonly string[]): void => {
    if (lines.length === 0) return
    out.write('\u001B[?7l')
    for (const line of lines) out.line(line)
    out.write('\u001B[?7h')
  }
  const redraw = (lines: readonly string[]): void => {
    erase()
    draw(lines)
    drawn = lines
  }
  const stopWatching = out.isTty ? out.onResize(() => rows !== undefined && redraw(renderBlock(rows, out))) : () => {}
  return {
    /** Replaces the drawn rows. */
    show(next: readonly EndpointRow[]) {
      rows = next
      const lines = out.isTty ? renderBlock(next, out) : renderRows(next, out)
      if (lines.join('\n') === drawn.join('\n')) return
      if (out.isTty) return redraw(lines)
      // Without a terminal: only changed rows, with the heading once.
      for (const line of lines.filter((each) => !drawn.includes(each))) out.line(line)
      drawn = lines
    },
    /** Prints a line above the block. */
    say(text: string) {
      if (out.isTty) erase()
      out.line(text)
      if (out.isTty) draw(drawn)
    },
    /** Stops drawing and keeps the last rows. */
    end() {
      stopWatching()
      rows = undefined
      drawn = []
    },
  }
}

/** Numbers are never cut; names are cut in the middle, reasons are on separate lines, and endpoints that do not fit on the screen are counted. */
function renderBlock(rows: readonly EndpointRow[], out: Terminal): readonly string[] {
  if (rows.length === 0) return [out.dim('no endpoints yet')]
  const columns = Math.max(NARROWEST, out.columns)
  const isNarrow = columns < NARROW
  const head = isNarrow ? ['endpoint', 'queued', 'running', 'failed'] : HEAD
  const cells = rows.map((row) => (isNarrow ? countsOf(row, out).filter((_, index) => index < 2 || index === 3) : countsOf(row, out)))
  const widest = Math.max(...rows.map(({ name }) => widthOf(toVisible(name, false))))
  const others = alignColumns([head.slice(1), ...cells])
  const room = columns - Math.max(...others.map(widthOf)) - 2
  const nameWidth = Math.max(SHORTEST_NAME, Math.min(widest, room))
  const named = rows.map(({ name }, index) => [cutMiddle(toVisible(name, false), nameWidth), ...(cells[index] ?? [])])
  const [titles = '', ...lines] = alignColumns([head.map((title) => out.dim(title)), ...named])
  const entries = lines.map((line, index) => {
    const workers = isNarrow ? workersOf(rows[index], columns) : []
    return [line, ...workers, ...reasonOf(rows[index], columns).map((reason) => out.bad(reason))]
  })
  return fitHeight(titles, entries, out)
}

function workersOf(row: EndpointRow | undefined, columns: number): readonly string[] {
  return row === undefined ? [] : wrap(describeWorkers(row.health), { columns: columns - 2, most: 3 }).map((line) => `  ${line}`)
}

function reasonOf(row: EndpointRow | undefined, columns: number): readonly string[] {
  const message = row === undefined ? undefined : messageOf(row)
  if (message === undefined) return []
  return wrap(toVisible(message, false), { columns: columns - 4, most: 3 }).map((line, index) => `${index === 0 ? '  ↳ ' : '    '}${line}`)
}

/** The cursor cannot move above the top of the screen, so a higher block would be printed repeatedly. */
function fitHeight(head: string, entries: readonly (readonly string[])[], out: Terminal): readonly string[] {
  const most = Math.max(3, out.rows - 2)
  const lines = [head]
  for (const [index, entry] of entries.entries()) {
    const isLast = index === entries.length - 1
    if (lines.length + entry.length + (isLast ? 0 : 1) > most) {
      return [...lines, out.dim(`… and ${entries.length - index} more; \`./runyard status\` shows all`)]
    }
    lines.push(...entry)
  }
  return lines
}

export function endpointListing(rows: readonly EndpointRow[], out: Terminal): Listing<EndpointRow> {
  return {
    rows,
    columns: [
      { title: 'endpoint', cell: ({ name }) => name, cut: 'middle' },
      { title: 'queued', cell: ({ health }) => `${health.jobs.inQueue}`, isNumber: true },
      { title: 'running', cell: ({ health }) => `${health.jobs.inProgress}`, isNumber: true },
      { title: 'done', cell: ({ health }) => `${health.jobs.completed}`, isNumber: true, goes: 3 },
      {
        title: 'failed',
        cell: ({ health }) => `${health.jobs.failed}`,
        paint: ({ health }) => (health.jobs.failed > 0 ? out.bad : plain),
        isNumber: true,
        goes: 2,
      },
      { title: 'workers', cell: ({ health }) => describeWorkers(health), cut: 'end', goes: 1 },
      { title: 'id', cell: ({ id }) => id, isWide: true },
    ],
    note: messageOf,
    noteTitle: 'why',
    paintNote: () => out.bad,
    data: rows,
    empty: 'no endpoints yet',
  }
}

const plain = (text: string): string => text

export function renderRows(rows: readonly EndpointRow[], out: Terminal): readonly string[] {
  return renderListing(out, endpointListing(rows, out))
}

function countsOf({ health }: EndpointRow, out: Pick<Terminal, 'bad'>): readonly string[] {
  const { jobs } = health
  const failed = jobs.failed > 0 ? out.bad(`${jobs.failed}`) : '0'
  return [`${jobs.inQueue}`, `${jobs.inProgress}`, `${jobs.completed}`, failed, describeWorkers(health)]
}

/** Why a worker is missing, and how to retry now; else what becomes of its image. */
function messageOf(row: EndpointRow): string | undefined {
  const { health } = row
  const why = whyOf(row)
  if (why !== undefined) return why
  const pulls = (health.images ?? []).map((one) => (one.state === 'failed' ? (one.message ?? '') : describePull(one)))
  return pulls.length === 0 ? undefined : pulls.join('; ')
}

/** Undefined: every worker that is wanted is there or comes. */
export function whyOf({ name, health: { message, nextTryAt } }: EndpointRow): string | undefined {
  const why = message === undefined ? undefined : withTimes(message)
  if (nextTryAt === undefined) return why
  const retry = `\`runyard endpoints retry ${name}\` tries now`
  return why === undefined ? retry : `${why.replace(/\.$/u, '')}; ${retry}`
}

function describePull({ image, host, state, message }: NonNullable<HealthView['images']>[number]): string {
  if (state === 'waiting') return `${image} waits to be pulled on ${host}`
  return `${image} is being pulled on ${host}${message === undefined ? '' : `: ${message}`}`
}

/** Omits `ready`, which counts idle workers a second time (client-api §5.9). `states.idle`: places where a worker would start without a pull. */
function describeWorkers({ workers, states }: HealthView): string {
  const shown = (['running', 'idle', 'initializing', 'throttled', 'unhealthy'] as const).filter((state) => workers[state] > 0)
  const words = shown.length === 0 ? 'none' : shown.map((state) => `${workers[state]} ${state}`).join(', ')
  const places = states?.idle ?? 0
  return places === 0 ? words : `${words} (${places} may start)`
}
