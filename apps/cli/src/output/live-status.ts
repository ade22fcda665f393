// What the stack is doing, one row per endpoint: on a terminal a block that redraws itself, elsewhere a line per change.
import type { Client, HealthView } from '@runyard/client'
import { alignColumns, type Terminal } from './terminal.ts'

export interface EndpointRow {
  readonly id: string
  readonly name: string
  readonly health: HealthView
}

export interface StatusBlock {
  /** Draws the rows in place of the former ones. */
  show(rows: readonly EndpointRow[]): void
  /** A line above the block. */
  say(text: string): void
  /** Leaves what stands there. */
  end(): void
}

/** @throws RunyardError while the gateway is away. */
export async function readRows(client: Client): Promise<readonly EndpointRow[]> {
  const endpoints = await client.listEndpoints()
  return Promise.all(endpoints.map(async ({ id, name }) => ({ id, name, health: await client.jobs.health(id) })))
}

export function createStatusBlock(out: Terminal): StatusBlock {
  let drawn: readonly string[] = []
  const erase = (): void => {
    if (out.isTty && drawn.length > 0) out.write(`\u001B[${drawn.length}A\u001B[J`)
  }
  return {
    show(rows) {
      const lines = renderRows(rows, out)
      if (lines.join('\n') === drawn.join('\n')) return
      erase()
      // Without a terminal: only what changed, with the heading once.
      for (const line of out.isTty ? lines : lines.filter((each) => !drawn.includes(each))) out.line(line)
      drawn = lines
    },
    say(text) {
      erase()
      out.line(text)
      if (out.isTty) for (const line of drawn) out.line(line)
    },
    end() {
      drawn = []
    },
  }
}

export function renderRows(rows: readonly EndpointRow[], out: Pick<Terminal, 'dim' | 'bad'>): readonly string[] {
  if (rows.length === 0) return [out.dim('no endpoints yet')]
  const head = ['endpoint', 'queued', 'running', 'done', 'failed', 'workers'].map((title) => out.dim(title))
  const cells = rows.map(({ name, health: { jobs, workers, message, nextTryAt } }) => [
    name,
    `${jobs.inQueue}`,
    `${jobs.inProgress}`,
    `${jobs.completed}`,
    jobs.failed > 0 ? out.bad(`${jobs.failed}`) : '0',
    `${describeWorkers(workers)}${message === undefined ? '' : out.bad(`  ${message}`)}${nextTryAt === undefined ? '' : `; \`runyard endpoints retry ${name}\` tries now`}`,
  ])
  return alignColumns([head, ...cells])
}

/** `ready` counts idle and running ones once more and is left out (client-api §5.9). */
function describeWorkers(workers: HealthView['workers']): string {
  const shown = (['running', 'idle', 'initializing', 'throttled', 'unhealthy'] as const).filter((state) => workers[state] > 0)
  return shown.length === 0 ? 'none' : shown.map((state) => `${workers[state]} ${state}`).join(', ')
}
