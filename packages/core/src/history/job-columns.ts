// Ended jobs as columns of numbers, read from their chunks without making an object or an id for any of them: what draws or searches a day of a busy pool
// looks at hundreds of thousands, and shows few.
import { JobStatus } from '@runyard/schema'
import { END_CAUSES } from '../job-end.ts'
import { defined } from '../management/defined.ts'
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
  /** Only for `pastJobAt` and searches. */
  readonly facts: JobFacts
  readonly texts: readonly string[]
  readonly ids: JobIds
  /** What it holds, about. */
  readonly bytes: number
}

interface JobFacts {
  /** Milliseconds from the submission to the start, or to the end where the job never started. */
  readonly waited: Uint32Array
  /** Places in `END_CAUSES`. */
  readonly causes: Uint8Array
  readonly retries: Uint16Array
  /** Places in `texts`; 0: not known. */
  readonly keys: Uint32Array
  /** Places in `failures`. */
  readonly failed: Uint32Array
  /** What jobs failed of, each once; the first one is none. */
  readonly failures: readonly Failure[]
}

export type Failure = Pick<PastJob, 'fingerprint' | 'error'>

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
const JOB_BYTES = 8 + 8 + 4 + 4 + 1 + ID_BYTES + 1 + 4 + 1 + 2 + 4 + 4
const FAILURE_BYTES = 200

export function buildJobColumns() {
  const { texts, placeOf } = createPlaces()
  const ids = buildIds()
  const facts = buildFacts()
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
    addChunk(chunk: Uint8Array) {
      const places: number[] = []
      eachPackedJob(chunk, (job, textAt) => {
        const ownPlace = (place: number): number => (places[place] ??= placeOf(textAt(place)))
        if (job.idAt < 0) ids.addOther(job.otherId)
        else ids.addUsual(chunk, job.idAt, job.isSync)
        push(job, ownPlace(job.worker), ownPlace(job.endpoint))
        facts.add(job, { key: job.key === 0 ? 0 : ownPlace(job.key), fingerprint: textAt(job.fingerprint), error: textAt(job.error) })
      })
    },
    addJob({ id, endpointId, status, workerId, startedAt = Number.NaN, endedAt = Infinity }: ColumnJob) {
      ids.addOther(id)
      push({ startedAt, endedAt, status }, placeOf(workerId), placeOf(endpointId))
      facts.add({ startedAt, endedAt, submittedAt: startedAt, cause: 'result', retries: 0 }, { key: 0 })
    },
    finish: (): JobColumns => ({
      count: started.length,
      startedAt: Float64Array.from(started),
      endedAt: Float64Array.from(ended),
      workers: Uint32Array.from(workers),
      endpoints: Uint32Array.from(endpoints),
      statuses: Uint8Array.from(statuses),
      facts: facts.finish(),
      texts,
      ids: ids.finish(),
      bytes: started.length * JOB_BYTES + texts.length * TEXT_BYTES + facts.bytes(),
    }),
  }
}

interface FactTexts {
  readonly key: number
  readonly fingerprint?: string | undefined
  readonly error?: string | undefined
}

function buildFacts() {
  const waited: number[] = []
  const causes: number[] = []
  const retries: number[] = []
  const keys: number[] = []
  const failed: number[] = []
  const failures: Failure[] = [{}]
  const places = new Map<string, number>()
  function failureOf({ fingerprint, error }: FactTexts): number {
    if (fingerprint === undefined && error === undefined) return 0
    const name = `${fingerprint} ${error}`
    const known = places.get(name) ?? failures.push(defined({ fingerprint, error })) - 1
    places.set(name, known)
    return known
  }
  return {
    add(job: Pick<PackedJob, 'startedAt' | 'endedAt' | 'submittedAt' | 'cause' | 'retries'>, texts: FactTexts): void {
      waited.push((Number.isNaN(job.startedAt) ? job.endedAt : job.startedAt) - job.submittedAt)
      causes.push(END_CAUSES.indexOf(job.cause))
      retries.push(job.retries)
      keys.push(texts.key)
      failed.push(failureOf(texts))
    },
    bytes: (): number => failures.length * FAILURE_BYTES,
    finish: (): JobFacts => ({
      waited: Uint32Array.from(waited),
      causes: Uint8Array.from(causes),
      retries: Uint16Array.from(retries),
      keys: Uint32Array.from(keys),
      failed: Uint32Array.from(failed),
      failures,
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

/** All that is kept of one ended job. */
export function pastJobAt(columns: JobColumns, index: number): PastJob {
  const { facts, texts } = columns
  const { id, endpointId, status, workerId, startedAt, endedAt = 0 } = columnJobAt(columns, index)
  const key = facts.keys[index] ?? 0
  return defined({
    id,
    endpointId,
    status,
    cause: END_CAUSES[facts.causes[index] ?? 0] ?? 'result',
    submittedAt: (startedAt ?? endedAt) - (facts.waited[index] ?? 0),
    startedAt,
    endedAt,
    retries: facts.retries[index] ?? 0,
    workerId,
    keyId: key === 0 ? undefined : texts[key],
    ...facts.failures[facts.failed[index] ?? 0],
  })
}

const knownTime = (at: number | undefined): number | undefined => (Number.isFinite(at) ? at : undefined)
