// The stored log lines of a worker. Their number is limited; the oldest are dropped.
import { toLine } from '@runyard/core'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, number, row, text } from '../scripts/replies.ts'

export type LogSource = 'container' | 'system'

export interface StoredLine {
  readonly at: number
  readonly line: string
}

export interface WorkerLogStore {
  /** Long lines are cut; beyond a thousand lines or 2 MiB the oldest go. */
  append(workerId: string, source: LogSource, lines: readonly StoredLine[]): Promise<void>
  read(workerId: string, source: LogSource, tail: number): Promise<readonly StoredLine[]>
  /**
   * What came after the first `had` lines, of what is still kept; `undefined`: everything that is kept. `number` counts all lines that there
   * ever were, from 1. `ever`: how many that is.
   */
  readAfter(
    workerId: string,
    source: LogSource,
    had: number | undefined,
  ): Promise<{ readonly ever: number; readonly lines: readonly (StoredLine & { readonly number: number })[] }>
  /** For this long, lines of the worker are announced by the signal `worker-logged`. */
  follow(workerId: string, forMs: number): Promise<void>
}

const appendLogScript = defineScript(
  {
    lua: new URL('./append-log.lua', import.meta.url),
    keys: ['lines', 'count', 'followed'],
    args: { mostLines: 'number', mostBytes: 'number', keepS: 'number', added: 'texts', logged: 'signal' },
    reply: flag,
  },
  { logged: (isAnnounced) => isAnnounced },
)

const readLogScript = defineScript({
  lua: new URL('./read-log.lua', import.meta.url),
  keys: ['lines', 'count'],
  args: { had: 'text', most: 'number' },
  /** How many lines there ever were, the number before the first one returned, the lines. */
  reply: row({ ever: number, first: number, lines: list(text) }),
})

const toLogLine = (stored: string): StoredLine => JSON.parse(stored)

const MAX_LOG_LINES = 1000
/** A thousand lines of ordinary length weigh a tenth of this. */
const MAX_LOG_BYTES = 2 * 1024 * 1024
const KEEP_LOGS_S = 60 * 60

export function createWorkerLogStore({ client, keys, run }: Pick<StoreContext, 'client' | 'keys' | 'run'>): WorkerLogStore {
  async function readAfter(...[workerId, source, had]: Parameters<WorkerLogStore['readAfter']>) {
    const log = keys.workerLog(workerId, source)
    const { ever, first, lines } = await run(readLogScript, { ...log, had: String(had ?? ''), most: MAX_LOG_LINES })
    return { ever, lines: lines.map((stored, index) => ({ ...toLogLine(stored), number: first + index + 1 })) }
  }

  return {
    async append(workerId, source, lines) {
      const newest = lines.slice(-MAX_LOG_LINES)
      if (newest.length === 0) return
      const logged = { kind: 'worker-logged', workerId } as const
      const log = { ...keys.workerLog(workerId, source), followed: keys.workerLogFollowed(workerId) }
      const bounds = { mostLines: MAX_LOG_LINES, mostBytes: MAX_LOG_BYTES, keepS: KEEP_LOGS_S }
      const added = newest.map(({ line, ...rest }) => JSON.stringify({ ...rest, line: toLine(line) }))
      await run(appendLogScript, { ...log, ...bounds, added, logged })
    },

    async read(workerId, source, tail) {
      if (tail <= 0) return []
      const lines = await client.lrange(keys.workerLog(workerId, source).lines, -tail, -1)
      return lines.map(toLogLine)
    },

    readAfter,

    async follow(workerId, forMs) {
      await client.set(keys.workerLogFollowed(workerId), '1', 'PX', forMs)
    },
  }
}
