// A day of a busy pool, written straight into the store of a stack before it starts: lives of workers, their jobs, readings, minutes of endpoints, cards out
// of use. Every draw is from one seed, so that two runs show the same day.
import { numbersOf, packNumbers, packSamples, NO_NUMBERS, type CardSample, type EndpointNumbers, type PastJob } from '@runyard/core'
import { OPERATOR_OWNER, type Reason, type WorkerLife } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { endpointRecord } from '@runyard/testing/records'

export interface Day {
  readonly hosts: number
  readonly cardsPerHost: number
  /** Of all cards, about. */
  readonly jobs: number
  /** Epoch ms. */
  readonly until: number
  /** Of a worker between bursts of jobs, at most; default: ten minutes. */
  readonly pauseMs?: number
  /** The part of the jobs that fails. */
  readonly failing?: number
  /** Of the hosts that there will be, whose scaler describes them; default: as many as are asked for, on hosts that are only described. */
  readonly cards?: readonly Card[]
}

const DAY_MS = 24 * 3_600_000
const MINUTE_MS = 60_000
const GPU = 'NVIDIA GeForce RTX 4090'
const NAMES = ['caption', 'upscale', 'whisper', 'embed', 'sdxl', 'llama-8b', 'rerank', 'segment', 'ocr', 'tts']
const ANY_GPU = { pools: ['ADA_24' as const], excludedTypes: [], count: 1, allowedCudaVersions: [] }
const CHUNK_JOBS = 250
const FAILING = 0.004
const SHORTEST_MS = 60_000
/** By fingerprint, the most frequent first. */
const ERRORS: Readonly<Record<string, string>> = {
  memory: 'CUDA out of memory. Tried to allocate 2.50 GiB',
  weights: "FileNotFoundError: [Errno 2] No such file or directory: '/models/weights.safetensors'",
  shape: 'RuntimeError: mat1 and mat2 shapes cannot be multiplied (77x768 and 1024x320)',
}
const STARTS: readonly Reason[] = ['first_job', 'jobs_waiting', 'below_min']

export interface Card {
  readonly uuid: string
  readonly hostId: string
  readonly index: number
  readonly name: string
}

/** Between 0 and 1, the same in each run. */
function createDraw(): () => number {
  let state = 42
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

export function cardsOf({ hosts, cardsPerHost }: Pick<Day, 'hosts' | 'cardsPerHost'>): readonly Card[] {
  return Array.from({ length: hosts * cardsPerHost }, (_, place) => {
    const [host, index] = [Math.floor(place / cardsPerHost), place % cardsPerHost]
    return { uuid: `GPU-${String(place).padStart(8, '0')}-8b86-4011-b42d-00cf4fc964ff`, hostId: `gpu-box-${host + 1}`, index, name: GPU }
  })
}

/** Returns how many jobs there are. */
export async function fillDay(store: Store, day: Day): Promise<number> {
  const draw = createDraw()
  const cards = day.cards ?? cardsOf(day)
  if (day.cards === undefined) await writeHosts(store, cards, day.until)
  await Promise.all(
    NAMES.map((id) => store.endpoints.upsert({ id }, () => endpointRecord(id, { ownerId: OPERATOR_OWNER, spec: { gpu: ANY_GPU } }))),
  )
  const jobs: PastJob[] = []
  const held: (readonly WorkerLife[])[] = []
  for (const [place, card] of cards.entries()) {
    const lives = livesOf({ ...card, place }, day, draw)
    held.push(lives.map(({ life }) => life))
    for (const { life, jobs: own } of lives) {
      await store.history.addLife(life.id, JSON.stringify(life), life.goneAt)
      jobs.push(...own)
    }
  }
  jobs.sort((a, b) => a.endedAt - b.endedAt)
  for (let at = 0; at < jobs.length; at += CHUNK_JOBS) await store.history.addJobs(jobs.slice(at, at + CHUNK_JOBS), ERRORS)
  await writeSamples(store, cards, { until: day.until, draw, held: day.cards === undefined ? undefined : held })
  await writeMinutes(store, jobs, { until: day.until, draw })
  await writeAbsences(store, cards, day.until)
  return jobs.length
}

async function writeHosts(store: Store, cards: readonly Card[], at: number): Promise<void> {
  const capabilities = { runsImages: true, isolates: true, gpuChoice: 'uuid', remembersExits: true } as const
  for (const [hostId, own] of Map.groupBy(cards, (card) => card.hostId)) {
    const gpus = own.map(({ uuid, name }) => ({ uuid, name, memoryBytes: 24e9, simulated: true, healthy: true }))
    const inventory = { hostId, kind: 'docker', capabilities, cpuCount: 64, memoryBytes: 512e9, gpus, cudaVersion: null } as const
    await store.hosts.putSight(hostId, { health: 'ready', label: hostId, kind: 'docker', at, inventory, claims: {} })
  }
}

interface Pace {
  /** From one job to the next, about. */
  readonly gapMs: number
  readonly pauseMs: number
  readonly failing: number
  /** When the last worker stops to take jobs, epoch ms. */
  readonly latest: number
}

interface Lived {
  readonly life: WorkerLife
  readonly jobs: readonly PastJob[]
}

/** `place`: among all of them. */
type Placed = Card & { readonly place: number }

function livesOf(
  card: Placed,
  { jobs, hosts, cardsPerHost, until, cards, pauseMs = 10 * MINUTE_MS, failing = FAILING }: Day,
  draw: () => number,
): readonly Lived[] {
  const latest = cards === undefined ? Infinity : until - SHORTEST_MS
  const pace = { gapMs: (DAY_MS * hosts * cardsPerHost) / jobs, pauseMs, failing, latest }
  const lives: Lived[] = []
  for (let at = until - DAY_MS + draw() * 20 * MINUTE_MS; at < until - 10 * MINUTE_MS;) {
    const lived = liveOnce(card, { at, pace, number: lives.length }, draw)
    if (lived.life.goneAt < until) lives.push(lived)
    at = lived.life.goneAt + draw() * draw() * 30 * MINUTE_MS
  }
  return lives
}

function liveOnce(
  card: Placed,
  { at, pace, number }: { readonly at: number; readonly pace: Pace; readonly number: number },
  draw: () => number,
): Lived {
  const endpointId = NAMES[Math.floor(draw() * NAMES.length)] ?? 'caption'
  const id = `w${String(card.place).padStart(8, '0')}${number}`
  const imageReadyAt = at + (draw() < 0.2 ? 30_000 + draw() * 120_000 : 300)
  const readyAt = imageReadyAt + 2000 + draw() * 40_000
  const drainingSince = Math.min(pace.latest, readyAt + (5 + draw() * 70) * MINUTE_MS)
  const goneAt = drainingSince + 500 + draw() * 20_000
  const life: WorkerLife = {
    id,
    endpointId,
    endpointName: endpointId,
    hostId: card.hostId,
    host: card.hostId,
    endpointVersion: 1 + Math.floor(draw() * 2),
    image: 'runyard/worker:1',
    gpus: [{ uuid: card.uuid, name: card.name, simulated: true }],
    startReason: STARTS[Math.floor(draw() * STARTS.length)] ?? 'first_job',
    createdAt: Math.round(at),
    imageReadyAt: Math.round(imageReadyAt),
    containerStartedAt: Math.round(imageReadyAt + 400),
    readyAt: Math.round(readyAt),
    drainingSince: Math.round(drainingSince),
    goneAt: Math.round(goneAt),
    endReason: 'idle_timeout',
    message: 'it was idle for longer than its timeout',
  }
  return { life, jobs: jobsOf(life, pace, draw) }
}

/** Bursts with pauses between them. */
function jobsOf(
  { id: workerId, endpointId, readyAt = 0, drainingSince = 0 }: WorkerLife,
  { gapMs, pauseMs, failing }: Pace,
  draw: () => number,
): readonly PastJob[] {
  const jobs: PastJob[] = []
  for (let at = readyAt; at < drainingSince;) {
    const ran = 200 + draw() * gapMs
    const hasFailed = draw() < failing
    const endedAt = Math.round(Math.min(drainingSince, at + ran))
    const failure = hasFailed ? errorOf(draw()) : {}
    jobs.push({
      id: `${crypto.randomUUID()}-u1`,
      endpointId,
      workerId,
      status: hasFailed ? 'FAILED' : 'COMPLETED',
      cause: 'result',
      submittedAt: Math.round(at - draw() * 5000),
      startedAt: Math.round(at),
      endedAt,
      retries: 0,
      ...failure,
    })
    at = endedAt + (draw() < 0.05 ? draw() * pauseMs : draw() * gapMs * 0.2)
  }
  return jobs
}

function errorOf(drawn: number): Pick<PastJob, 'fingerprint' | 'error'> {
  const [fingerprint = '', error = ''] = Object.entries(ERRORS)[Math.floor(drawn * drawn * 3)] ?? []
  return { fingerprint, error }
}

interface Drawn {
  readonly until: number
  readonly draw: () => number
}

interface Readings extends Drawn {
  /** By the place of a card: when it had work. Default: always. */
  readonly held?: readonly (readonly WorkerLife[])[] | undefined
}

const AT_REST: CardSample = { load: 0, memory: 0.01, powerW: 22, temperatureC: 34 }

async function writeSamples({ history }: Store, cards: readonly Card[], { until, draw, held }: Readings): Promise<void> {
  const isAtRest = (place: number, at: number): boolean =>
    held?.[place]?.some(({ readyAt = 0, drainingSince = 0 }) => readyAt <= at && at < drainingSince) === false
  const levels = cards.map(() => draw())
  const reading = (place: number, at: number): CardSample => {
    if (isAtRest(place, at)) return AT_REST
    const before = levels[place] ?? 0
    const load = Math.min(1, Math.max(0, before + (draw() - 0.5) * 0.3))
    levels[place] = draw() < 0.01 ? draw() : load
    return { load, memory: Math.min(1, 0.3 + load * 0.5), powerW: 60 + load * 370, temperatureC: 40 + load * 35 }
  }
  for (let at = until - DAY_MS; at < until; at += MINUTE_MS) {
    const fine = new Map(cards.map(({ uuid }, place) => [uuid, Array.from({ length: 6 }, (_, step) => reading(place, at + step * 10_000))]))
    const rough = new Map([...fine].map(([uuid, [first]]) => [uuid, [first ?? null]]))
    // Readings of ten seconds are read for two hours at most.
    if (at > until - 3 * 3_600_000) await history.add('samples', packSamples({ at, stepMs: 10_000, cards: fine }), at)
    await history.add('sampleMinutes', packSamples({ at, stepMs: MINUTE_MS, cards: rough }), at)
  }
}

async function writeMinutes({ history }: Store, jobs: readonly PastJob[], { until, draw }: Drawn): Promise<void> {
  const byMinute = Map.groupBy(jobs, ({ endedAt }) => endedAt - (endedAt % MINUTE_MS))
  let queue = 0
  const first = until - DAY_MS - (until % MINUTE_MS)
  for (let at = first; at < until; at += MINUTE_MS) {
    queue = Math.max(0, Math.round(queue + (draw() - 0.52) * 8))
    const isThrottled = queue > 20
    const ended = byMinute.get(at) ?? []
    const rows = new Map<string, EndpointNumbers>(
      NAMES.map((id, place) => [
        id,
        {
          ...numbersIn(ended.filter(({ endpointId }) => endpointId === id)),
          queue: place === 0 ? queue : 0,
          oldestS: place === 0 ? queue * 2 : 0,
          ...(isThrottled && place === 0 ? { throttled: 2, reason: 'gpus_busy' } : {}),
        },
      ]),
    )
    await history.add('minutes', packNumbers(at, rows), at)
  }
}

/** The wait and the run of the latest stand for all. */
function numbersIn(ended: readonly PastJob[]): EndpointNumbers {
  const latest = ended.at(-1)
  if (latest === undefined) return NO_NUMBERS
  const failed = ended.filter(({ status }) => status === 'FAILED').length
  const counts = { accepted: ended.length, completed: ended.length - failed, failed, busy: Math.min(4, ended.length) }
  return { ...numbersOf(latest), ...counts }
}

/** One card falls off the bus for a quarter of an hour, another for two seconds, a host is away for some minutes. */
async function writeAbsences({ history }: Store, cards: readonly Card[], until: number): Promise<void> {
  const [, one, , other] = cards
  const change = async (at: number, out: readonly (Card | undefined)[], hosts: readonly string[] = []): Promise<void> => {
    const gone = out.flatMap((card) =>
      card === undefined ? [] : [{ uuid: card.uuid, since: at, cause: 'lost', message: 'it fell off the bus' }],
    )
    await history.add('cardChanges', Buffer.from(JSON.stringify({ cards: gone, hosts })), at)
  }
  await change(until - 5 * 3_600_000, [one])
  await change(until - 5 * 3_600_000 + 15 * MINUTE_MS, [])
  await change(until - 40 * MINUTE_MS, [other])
  await change(until - 40 * MINUTE_MS + 2000, [])
  await change(until - 30 * MINUTE_MS, [one])
  await change(until - 25 * MINUTE_MS, [], [cards.at(-1)?.hostId ?? ''])
  await change(until - 20 * MINUTE_MS, [])
}
