// Worker records: facts, one hash each in their endpoint's slot. A patch to a worker that is gone must not bring it back.
import { RunyardError, type WorkerExit, type WorkerRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { createCards } from '../leader/leader.ts'
import { CREATE_WORKER, LIST_WORKERS, MAY_START, PATCH_WORKER, READ_WORKER, REMOVE_WORKER } from '../scripts/records.ts'
import type { WorkerStore } from '../types.ts'

const KEEP_GONE_S = 60 * 60

function toFields(record: Partial<WorkerRecord>): string[] {
  return Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [name, JSON.stringify(value)]))
}

function fromFields(fields: Readonly<Record<string, string>>): WorkerRecord | undefined {
  const parsed = Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, JSON.parse(text) as unknown]))
  return parsed['id'] === undefined ? undefined : (parsed as unknown as WorkerRecord)
}

function fromFlat(flat: readonly string[]): WorkerRecord | undefined {
  const fields: Record<string, string> = {}
  for (let at = 0; at + 1 < flat.length; at += 2) fields[flat[at] ?? ''] = flat[at + 1] ?? 'null'
  return fromFields(fields)
}

const changed = (endpointId: string, workerId: string) => ({ kind: 'worker-changed', endpointId, workerId }) as const

export function createWorkerStore(context: StoreContext): WorkerStore {
  const { client, keys, run, signals } = context
  const cards = createCards(context)
  const write = createWorkerWrite(context)
  const get = async (endpointId: string, workerId: string) => fromFields(await client.hgetall(keys.worker(endpointId, workerId)))

  return {
    get,

    async create(record) {
      const { endpointId, id } = record
      if (!(await cards.claim(record))) throw new RunyardError('conflict', `A card of worker ${id} is held by another worker.`)
      if (!(await write(record))) {
        await cards.free(record)
        throw new RunyardError('conflict', `The endpoint of worker ${id} was deleted.`)
      }
      signals.deliver(changed(endpointId, id))
    },

    async patch(...[endpointId, workerId, fields, { quiet = false, unless = '' } = {}]) {
      const changes = toFields(fields)
      if (changes.length === 0) return false
      const signal = changed(endpointId, workerId)
      const told = [quiet ? '' : signals.channel, signals.encode(signal)]
      const isWritten = (await run(PATCH_WORKER, [keys.worker(endpointId, workerId)], [unless, ...told, ...changes])) === 1
      if (isWritten && !quiet) signals.deliver(signal)
      return isWritten
    },

    async list(endpointId) {
      const rows = (await run(LIST_WORKERS, [keys.workers(endpointId), keys.queue(endpointId)], [])) as readonly (readonly string[])[]
      return rows.map(fromFlat).filter((record) => record !== undefined)
    },

    async remove(endpointId, workerId, exit) {
      const record = fromFlat((await run(READ_WORKER, [keys.worker(endpointId, workerId)], [])) as readonly string[])
      // The evidence first: a crash between the two leaves a worker that is removed again, not one that nobody can explain.
      if (record !== undefined) await client.set(keys.goneWorker(workerId), JSON.stringify({ record, exit }), 'EX', KEEP_GONE_S)
      const signal = changed(endpointId, workerId)
      const touched = [keys.worker(endpointId, workerId), keys.workers(endpointId)]
      const isRemoved = (await run(REMOVE_WORKER, touched, [workerId, signals.channel, signals.encode(signal)])) === 1
      if (isRemoved) signals.deliver(signal)
      if (record !== undefined) await cards.free(record)
    },

    async mayStart(record) {
      if ((await run(MAY_START, [keys.worker(record.endpointId, record.id)], [])) !== 1) return 'no'
      return (await cards.claim(record)) ? 'yes' : 'card_held'
    },

    async getGone(workerId) {
      const text = await client.get(keys.goneWorker(workerId))
      if (text === null) return undefined
      const { record, exit } = JSON.parse(text) as { record: WorkerRecord; exit?: WorkerExit }
      return { record, exit }
    },
  }
}

/** False where the endpoint was forgotten. */
function createWorkerWrite({ keys, run, signals }: StoreContext) {
  return async (record: WorkerRecord): Promise<boolean> => {
    const { endpointId, id } = record
    const touched = [keys.worker(endpointId, id), keys.workers(endpointId), keys.forgotten(endpointId)]
    const told = [signals.channel, signals.encode(changed(endpointId, id))]
    return (await run(CREATE_WORKER, touched, [id, ...told, ...toFields(record)])) === 1
  }
}
