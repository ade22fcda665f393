// Worker records: facts, one hash per worker in its endpoint's slot. A patch of a removed worker must not create its record again.
import { RunyardError, type WorkerExit, type WorkerRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { endpointKeys } from '../keys.ts'
import { createCards } from '../cards/cards.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, list, text } from '../scripts/replies.ts'

export interface WorkerChange {
  readonly endpointId: string
  readonly workerId: string
  readonly fields: Partial<WorkerRecord>
  readonly quiet?: boolean
  readonly unless?: keyof WorkerRecord
}

export interface WorkerStore {
  /** Claims its cards, then writes it. @throws RunyardError('conflict') where another worker holds one of its cards, or its endpoint was forgotten. */
  create(record: WorkerRecord): Promise<void>
  /** May its container be started now? `no`: it has no record, or it drains. `card_held`: another worker holds one of its cards. */
  mayStart(record: Pick<WorkerRecord, 'endpointId' | 'id' | 'gpus'>): Promise<'yes' | 'no' | 'card_held'>
  /**
   * Sets fields, all or none; true when it did. An unknown worker stays unknown, and so does what comes after somebody has set the field
   * `unless`. Emits `worker-changed` when `quiet` is not set.
   */
  patch(change: WorkerChange): Promise<boolean>
  get(endpointId: string, workerId: string): Promise<WorkerRecord | undefined>
  list(endpointId: string): Promise<readonly WorkerRecord[]>
  /** Removes the record, keeping `exit` beside its last facts for an hour (`getGone`). */
  remove(endpointId: string, workerId: string, exit: WorkerExit | undefined): Promise<void>
  getGone(workerId: string): Promise<{ record: WorkerRecord; exit: WorkerExit | undefined } | undefined>
}

/** Names and values, alternating. */
const flat = list(text)

const createScript = defineScript(
  {
    lua: new URL('./create-worker.lua', import.meta.url),
    keys: ['worker', 'workers', 'forgotten'],
    args: { id: 'text', fields: 'texts', changed: 'signal' },
    /** False where the endpoint was forgotten. */
    reply: flag,
  },
  { changed: (isWritten) => isWritten },
)

export const patchScript = defineScript(
  {
    lua: new URL('./patch-worker.lua', import.meta.url),
    keys: ['worker'],
    args: { unless: 'text', quiet: 'flag', fields: 'texts', changed: 'signal' },
    reply: flag,
  },
  { changed: (isWritten, { quiet }) => isWritten && !quiet },
)

const readScript = defineScript({
  lua: new URL('./read-worker.lua', import.meta.url),
  keys: ['worker'],
  reply: flat,
})

const removeScript = defineScript(
  {
    lua: new URL('./remove-worker.lua', import.meta.url),
    keys: ['worker', 'workers'],
    args: { id: 'text', changed: 'signal' },
    reply: flag,
  },
  { changed: (isRemoved) => isRemoved },
)

const mayStartScript = defineScript({
  lua: new URL('./may-start.lua', import.meta.url),
  keys: ['worker'],
  reply: flag,
})

const listScript = defineScript({
  lua: new URL('./list-workers.lua', import.meta.url),
  uses: [endpointKeys],
  keys: ['queue'],
  reply: list(flat),
})

const KEEP_GONE_S = 60 * 60

function toFields(record: Partial<WorkerRecord>): string[] {
  return Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [name, JSON.stringify(value)]))
}

/** A hash's values are JSON. Scripts alone write them, so they are trusted. */
function fromFields(hash: readonly (readonly [name: string, json: string])[]): WorkerRecord | undefined {
  if (hash.length === 0) return undefined
  const record: Partial<WorkerRecord> = JSON.parse(`{${hash.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`)
  return isWhole(record) ? record : undefined
}

const isWhole = (record: Partial<WorkerRecord>): record is WorkerRecord => record.id !== undefined

function fromFlat(cells: readonly string[]): WorkerRecord | undefined {
  const hash: [string, string][] = []
  for (let at = 0; at + 1 < cells.length; at += 2) hash.push([cells[at] ?? '', cells[at + 1] ?? 'null'])
  return fromFields(hash)
}

const changed = (endpointId: string, workerId: string) => ({ kind: 'worker-changed', endpointId, workerId }) as const

export function createWorkerStore(context: StoreContext): WorkerStore {
  const { client, keys, run } = context
  const cards = createCards(context)
  const write = createWorkerWrite(context)
  const get = async (endpointId: string, workerId: string) =>
    fromFields(Object.entries(await client.hgetall(keys.worker(endpointId, workerId))))

  return {
    get,

    async create(record) {
      const { id } = record
      if (!(await cards.claim(record))) throw new RunyardError('conflict', `A card of worker ${id} is held by another worker.`)
      if (!(await write(record))) {
        await cards.giveBack(record)
        throw new RunyardError('conflict', `The endpoint of worker ${id} was deleted.`)
      }
    },

    async patch({ endpointId, workerId, fields: changes, quiet = false, unless = '' }) {
      const texts = toFields(changes)
      if (texts.length === 0) return false
      const worker = keys.worker(endpointId, workerId)
      return run(patchScript, { worker, unless, quiet, fields: texts, changed: changed(endpointId, workerId) })
    },

    async list(endpointId) {
      const rows = await run(listScript, { queue: keys.queue(endpointId) })
      return rows.map(fromFlat).filter((record) => record !== undefined)
    },

    async remove(endpointId, workerId, exit) {
      const worker = keys.worker(endpointId, workerId)
      const record = fromFlat(await run(readScript, { worker }))
      // The evidence first: after a crash between the two the worker is removed again, and never lacks an explanation.
      if (record !== undefined) await client.set(keys.goneWorker(workerId), JSON.stringify({ record, exit }), 'EX', KEEP_GONE_S)
      const workers = keys.of(endpointId, 'workers')
      // Its cards before the record: without the record, what is left of its claim would be void.
      if (record !== undefined) await cards.release(record)
      await run(removeScript, { worker, workers, id: workerId, changed: changed(endpointId, workerId) })
    },

    async mayStart(record) {
      if (!(await run(mayStartScript, { worker: keys.worker(record.endpointId, record.id) }))) return 'no'
      return (await cards.claim(record)) ? 'yes' : 'card_held'
    },

    async getGone(workerId) {
      const stored = await client.get(keys.goneWorker(workerId))
      if (stored === null) return undefined
      const { record, exit }: { record: WorkerRecord; exit?: WorkerExit } = JSON.parse(stored)
      return { record, exit }
    },
  }
}

/** False where the endpoint was forgotten. */
function createWorkerWrite({ keys, run }: StoreContext) {
  return (record: WorkerRecord): Promise<boolean> => {
    const { endpointId, id } = record
    const [workers, forgotten] = [keys.of(endpointId, 'workers'), keys.of(endpointId, 'forgotten')]
    const written = { id, fields: toFields(record), changed: changed(endpointId, id) }
    return run(createScript, { worker: keys.worker(endpointId, id), workers, forgotten, ...written })
  }
}
