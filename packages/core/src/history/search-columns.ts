// Which jobs of a block match a search, and where jobs ended again, without making an object of any other: a search looks at a million.
import { JobStatus } from '@runyard/schema'
import { idBytesOf, type PastJob } from './ended-jobs.ts'
import { columnJobAt, pastJobAt, type JobColumns } from './job-columns.ts'

/** Each absent one matches all. */
export interface ColumnSearch {
  /** By id; no job of another one matches. */
  readonly endpoints: ReadonlyMap<string, { readonly name: string }>
  readonly status?: JobStatus | undefined
  /** Epoch ms, `until` excluded. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly key?: string | undefined
  readonly worker?: string | undefined
  /** A fingerprint, or a part of an error. */
  readonly error?: string | undefined
  /** A part of an id, an error, a worker's id or an endpoint's id or name. */
  readonly q?: string | undefined
}

const ID_BYTES = 16

/** Whose jobs a block has, by id. */
export function endpointsOf({ endpoints, texts }: JobColumns): readonly string[] {
  const isThere = new Uint8Array(texts.length)
  for (const place of endpoints) isThere[place] = 1
  return texts.filter((_, place) => isThere[place] === 1)
}

/** At least those that match: of those whose id may contain `q`, some do not. */
export function findInColumns(columns: JobColumns, search: ColumnSearch): readonly PastJob[] {
  const isInTime = testTime(columns, search)
  const isAsked = testPlaces(columns, search)
  const text = testText(columns, search)
  if (isAsked === none) return []
  const found: PastJob[] = []
  const look = (index: number): void => {
    if (isAsked(index) && isInTime(index) && text.isIn(index)) found.push(pastJobAt(columns, index))
  }
  if (text.rows === undefined) for (let index = 0; index < columns.count; index += 1) look(index)
  else for (const index of text.rows) look(index)
  return found
}

type Test = (index: number) => boolean

const any: Test = () => true
const none: Test = () => false

function testTime({ endedAt }: JobColumns, { since = 0, until = Infinity }: ColumnSearch): Test {
  return (index) => {
    const at = endedAt[index] ?? 0
    return at >= since && at < until
  }
}

function testPlaces(columns: JobColumns, { status, worker, key, endpoints }: ColumnSearch): Test {
  const { statuses, workers, facts, texts } = columns
  const isOwn = texts.map((text) => endpoints.has(text))
  const [asked, own] = [status === undefined ? -1 : JobStatus.options.indexOf(status), columns.endpoints]
  const hasWorker = testPlace(workers, texts, worker)
  const hasKey = testPlace(facts.keys, texts, key)
  // Most blocks have no job of a rare status, which takes no look at each.
  if ((asked >= 0 && !statuses.includes(asked)) || hasWorker === none || hasKey === none) return none
  return (index) => (asked < 0 || statuses[index] === asked) && isOwn[own[index] ?? 0] === true && hasWorker(index) && hasKey(index)
}

function testPlace(places: Uint32Array, texts: readonly string[], text: string | undefined): Test {
  if (text === undefined) return any
  const place = texts.indexOf(text)
  return place < 1 ? none : (index) => places[index] === place
}

interface TextTest {
  readonly isIn: Test
  /** Undefined: any. */
  readonly rows?: Iterable<number>
}

function testText(columns: JobColumns, { error, q, endpoints }: ColumnSearch): TextTest {
  const { facts, texts, workers } = columns
  const failures = facts.failures.map((failure) => failure.fingerprint === error || has(failure.error, error))
  const isSameError = error === undefined ? any : testVerdict(facts.failed, failures)
  if (q === undefined) return { isIn: isSameError }
  const inFailures = facts.failures.map((failure) => has(failure.error, q))
  const inTexts = texts.map((text) => has(text, q))
  const inNames = texts.map((text) => has(text, q) || has(endpoints.get(text)?.name, q))
  const withId = rowsWithId(columns, q)
  const isElsewhere = [...inFailures, ...inNames].includes(true)
  if (withId !== undefined && !isElsewhere) return { isIn: isSameError, rows: withId }
  const hasId: Test = withId === undefined ? any : (index) => withId.has(index)
  const tests = [hasId, testVerdict(workers, inTexts), testVerdict(columns.endpoints, inNames), testVerdict(facts.failed, inFailures)]
  return { isIn: (index) => isSameError(index) && tests.some((isIn) => isIn(index)) }
}

const testVerdict =
  (places: Uint32Array, verdicts: readonly boolean[]): Test =>
  (index) =>
    verdicts[places[index] ?? 0] === true

const has = (text: string | undefined, part = ''): boolean => text?.toLowerCase().includes(part.toLowerCase()) === true

/** Those whose id may contain the part; undefined: any may. */
function rowsWithId({ ids }: JobColumns, part: string): ReadonlySet<number> | undefined {
  const digits = digitsOf(part)
  if (digits !== undefined && digits.length < LEAST_DIGITS) return undefined
  const others = [...ids.others].filter(([, id]) => has(id, part)).map(([index]) => index)
  if (digits === undefined) return new Set(others)
  return new Set([...others, ...rowsWith(ids.bytes, bytesOf(digits)), ...rowsWith(ids.bytes, bytesOf(digits.slice(1)))])
}

/** Two bytes, wherever in a byte the part begins. */
const LEAST_DIGITS = 5

/** The digits that the uuid of an id must have for the id to contain the part; undefined where no usual id does. */
function digitsOf(part: string): string | undefined {
  const inUuid = part
    .toLowerCase()
    .replace(/^s?y?n?c?-?/u, '')
    .replace(/-?u?1?$/u, '')
  return /^[0-9a-f-]*$/u.test(inUuid) ? inUuid.replaceAll('-', '') : undefined
}

function bytesOf(digits: string): readonly number[] {
  const bytes: number[] = []
  for (let at = 0; at + 1 < digits.length; at += 2) bytes.push(Number.parseInt(digits.slice(at, at + 2), 16))
  return bytes
}

/** Finds the first byte by `indexOf`, which is fast. */
function rowsWith(ids: Uint8Array, bytes: readonly number[]): readonly number[] {
  const [first = 0, second] = bytes
  const rows: number[] = []
  for (let at = ids.indexOf(first); at >= 0; at = ids.indexOf(first, at + 1)) {
    if (ids[at + 1] === second && bytes.every((byte, offset) => ids[at + offset] === byte)) rows.push(Math.floor(at / ID_BYTES))
  }
  return rows
}

/** Finds where jobs with these ids ended. */
export function createEndFinder(jobIds: readonly string[]): (columns: JobColumns) => readonly PastJob[] {
  const wanted = new Set(jobIds)
  // By the first two bytes of an id, so that hardly any other id has to be made.
  const marks = new Uint8Array(0x1_00_00)
  for (const id of jobIds) marks[markOf(idBytesOf(id) ?? [], 0)] = 1
  return (columns) => {
    const { ids, count } = columns
    const hasOthers = ids.others.size > 0
    const found: PastJob[] = []
    for (let index = 0; index < count; index += 1) {
      if (marks[markOf(ids.bytes, index * ID_BYTES)] !== 1 && !(hasOthers && ids.others.has(index))) continue
      if (wanted.has(columnJobAt(columns, index).id)) found.push(pastJobAt(columns, index))
    }
    return found
  }
}

const markOf = (bytes: ArrayLike<number>, at: number): number => (bytes[at] ?? 0) * 0x1_00 + (bytes[at + 1] ?? 0)
