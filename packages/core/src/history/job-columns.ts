// Ended jobs as columns of numbers, read from their chunks without making an object or an id for any of them: what draws or searches a day of a busy pool
// looks at hundreds of thousands, and shows few.
import { JobStatus } from '@runyard/schema'
import { eachPackedJob, usualId, type PackedJob, type PastJob } from './ended-jobs.ts'

export interface JobColumns {
  readonly count: number
  /** Epoch ms; NaN: it never started. */
  readonly startedAt: Float64Array
  /** Epoch ms; Infinity: it still runs. */
  readonly endedAt: Float64Array
  /** Places in `texts`; 0: no worker. */
  readonly workers: Uint32Array
  readonly endpoints: Uint32Array
  /** Places in the options of `JobStatus`. */
  readonly statuses: Uint8Array
  readonly texts: readonly string[]
  readonly ids: JobIds
  /** What it holds, about. */
  readonly bytes: number
}

interface JobIds {
  /** 16 of each; of ids of another form, zeros. */
  readonly bytes: Uint8Array
  readonly isSync: Uint8Array
  /** Those of another form, by the place of their job. */
  readonly others: ReadonlyMap<number, string>
}

/** A job that runs has no end. */
export interface ColumnJob extends Pick<PastJob, 'id' | 'endpointId' | 'status'> {
  readonly workerId?: string | undefined
  readonly startedAt?: number | undefined
  readonly endedAt?: number | undefined
}

const ID_BYTES = 16
const TEXT_BYTES = 40
/** Of a job, in all columns. */
const JOB_BYTES = 8 + 8 + 4 + 4 + 1 + ID_BYTES + 1

export interface JobColumnsBuilder {
  addChunk(chunk: Uint8Array): void
  addJob(job: ColumnJob): void
  finish(): JobColumns
}

export function buildJobColumns(): JobColumnsBuilder {
  const { texts, placeOf } = createPlaces()
  const ids = buildIds()
  const started: number[] = []
  const ended: number[] = []
  const workers: number[] = []
  const endpoints: number[] = []
  const statuses: number[] = []
  function push(
    { startedAt, endedAt, status }: Pick<PackedJob, 'startedAt' | 'endedAt' | 'status'>,
    worker: number,
    endpoint: number,
  ): void {
    started.push(startedAt)
    ended.push(endedAt)
    workers.push(worker)
    endpoints.push(endpoint)
    statuses.push(JobStatus.options.indexOf(status))
  }
  return {
    addChunk(chunk) {
      const places: number[] = []
      eachPackedJob(chunk, (job, textAt) => {
        if (job.idAt < 0) ids.addOther(job.otherId)
        else ids.addUsual(chunk, job.idAt, job.isSync)
        push(job, (places[job.worker] ??= placeOf(textAt(job.worker))), (places[job.endpoint] ??= placeOf(textAt(job.endpoint))))
      })
    },
    addJob({ id, endpointId, status, workerId, startedAt = Number.NaN, endedAt = Infinity }) {
      ids.addOther(id)
      push({ startedAt, endedAt, status }, placeOf(workerId), placeOf(endpointId))
    },
    finish: () => ({
      count: started.length,
      startedAt: Float64Array.from(started),
      endedAt: Float64Array.from(ended),
      workers: Uint32Array.from(workers),
      endpoints: Uint32Array.from(endpoints),
      statuses: Uint8Array.from(statuses),
      texts,
      ids: ids.finish(),
      bytes: started.length * JOB_BYTES + texts.length * TEXT_BYTES,
    }),
  }
}

function createPlaces() {
  const texts = ['']
  const places = new Map([['', 0]])
  return {
    texts,
    placeOf: (text = ''): number => {
      const known = places.get(text)
      if (known !== undefined) return known
      places.set(text, texts.length)
      return texts.push(text) - 1
    },
  }
}

function buildIds() {
  let bytes = new Uint8Array(256 * ID_BYTES)
  const sync: number[] = []
  const others = new Map<number, string>()
  function makeRoom(): number {
    const at = sync.length * ID_BYTES
    if (at < bytes.length) return at
    const larger = new Uint8Array(2 * bytes.length)
    larger.set(bytes)
    bytes = larger
    return at
  }
  return {
    addUsual(chunk: Uint8Array, from: number, isSync: boolean): void {
      const at = makeRoom()
      for (let place = 0; place < ID_BYTES; place += 1) bytes[at + place] = chunk[from + place] ?? 0
      sync.push(isSync ? 1 : 0)
    },
    addOther(id: string): void {
      makeRoom()
      others.set(sync.length, id)
      sync.push(0)
    },
    finish: (): JobIds => ({ bytes: bytes.slice(0, sync.length * ID_BYTES), isSync: Uint8Array.from(sync), others }),
  }
}

/** Makes the object of one job. */
export function columnJobAt({ ids, texts, ...columns }: JobColumns, index: number): ColumnJob {
  const worker = columns.workers[index] ?? 0
  return {
    id: ids.others.get(index) ?? usualId(ids.bytes, index * ID_BYTES, ids.isSync[index] === 1),
    endpointId: texts[columns.endpoints[index] ?? 0] ?? '',
    status: JobStatus.options[columns.statuses[index] ?? 0] ?? 'FAILED',
    workerId: worker === 0 ? undefined : texts[worker],
    startedAt: knownTime(columns.startedAt[index]),
    endedAt: knownTime(columns.endedAt[index]),
  }
}

const knownTime = (at: number | undefined): number | undefined => (Number.isFinite(at) ? at : undefined)
