// GET /runyard/v1/live: the state of several topics over one connection. A topic of an owner has one snapshot per gateway, however many streams follow it:
// it is read again when a signal may have changed it, at most five times a second, and now and then because hosts give no signal. A stream gets the whole
// state, so that a lost one costs nothing; where states in between may be missing, the stream says so (`gap`). An endpoint or job that is not there, or not
// the caller's, is null: one of them must not take the others from a page that follows several.
import { RunyardError, type Endpoint, type Signal } from '@runyard/schema'
import { MOST_TOPICS, type LiveEvent } from '@runyard/schema/api'
import { isStoreAnswering } from '../http/silent-store.ts'
import { keyOf, restRoutes, type RestApp } from '../management/rest/conventions.ts'
import type { GatewayDeps } from '../parts/deps.ts'
import type { WorkerLists } from '../parts/worker-lists.ts'
import { readEndpointLoad } from '../parts/endpoint-load.ts'
import { findJob } from '../jobs/find-job.ts'
import { healthOf } from '../jobs/health.ts'
import { createEndpointLoads } from './endpoint-loads.ts'
import { findEndpoint, followOwnEndpoints, ownEndpoints } from './own-endpoints.ts'
import { readPool } from './pool-route.ts'
import { createBell, type EventStream, type Streams } from './stream.ts'

const AT_MOST_EVERY_MS = 200
/** Of a stream: what changes together is sent together. Topics keep their own pace. */
const TOGETHER_MS = 20
const LOOK_MS = 5000
/** Without a command, as long as Redis answers others: one is sent every five seconds at least, to see that its data is there. */
const LOOK_AT_STORE_MS = 1000
const SILENT_MS = 6000
const LOOK_AT_POOL_MS = 10_000
/** The scaler writes an unchanged host as often. */
const HOSTS_HOLD_MS = 60_000
/** For an answer of one small command. */
const ANSWER_MS = 2000
const POOL_SIGNALS: ReadonlySet<Signal['kind']> = new Set(['worker-changed', 'pool-changed', 'endpoint-changed', 'resync'])
const TOPICS = 'pool, endpoints, store, endpoint:{id} and job:{id}'

const isTopic = (name: string): boolean => /^(?:pool|endpoints|store|(?:endpoint|job):.+)$/su.test(name)

type LiveDeps = Pick<GatewayDeps, 'store' | 'log'> & { readonly workers: WorkerLists }

export function registerLiveRoute(app: RestApp, deps: LiveDeps, streams: Streams): void {
  const route = restRoutes(app)
  const hub = createHub(deps)
  app.addHook('onClose', () => hub[Symbol.asyncDispose]())
  route('GET /runyard/v1/live', async (request, reply) => {
    const { ownerId } = keyOf(request)
    const names = [...new Set(request.query.topics.split(',').map((name) => name.trim()))].filter((name) => name !== '')
    if (names.length === 0 || names.length > MOST_TOPICS)
      throw new RunyardError('bad_request', `"topics" must name 1 to ${MOST_TOPICS} topics.`)
    for (const name of names)
      if (!isTopic(name)) throw new RunyardError('bad_request', `There is no topic "${name}"; topics are ${TOPICS}.`)
    const last = String(request.headers['last-event-id'] ?? '')
    const open = () => names.map((name) => hub.topic(ownerId, name))
    return streams.open(request, reply, (stream) => follow(stream, open(), last))
  })
}

interface Topic {
  readonly name: string
  /** Which state it is: of this gateway's run, and its number there. */
  readonly version: () => string
  /** As JSON, encoded once for all streams. */
  readonly text: () => string
  /** How often states may have been lost. */
  readonly gaps: () => number
  enter(onChange: () => void): Promise<Disposable>
}

async function follow(stream: EventStream, topics: readonly Topic[], last: string): Promise<void> {
  const bell = createBell(TOGETHER_MS)
  using entered = new DisposableStack()
  for (const one of await Promise.all(topics.map((topic) => topic.enter(() => bell.ring())))) entered.use(one)
  const sent = new Map<Topic, string>()
  const gaps = new Map(topics.map((topic) => [topic, topic.gaps()]))
  const send = (text: string): void => stream.send({ id: topics.map((topic) => topic.version()).join(','), text })
  const sendGap = (topic: Topic, gap: string): void => send(JSON.stringify({ topic: topic.name, gap } satisfies LiveEvent))
  const known = new Set(last.split(','))
  for (const topic of topics) if (last !== '' && !known.has(topic.version())) sendGap(topic, 'the stream was interrupted')
  while (!stream.signal.aborted) {
    for (const topic of stream.isReady() ? topics : []) {
      if (gaps.get(topic) !== topic.gaps()) sendGap(topic, 'the connection to Redis was lost')
      gaps.set(topic, topic.gaps())
      if (sent.get(topic) !== topic.version()) send(topic.text())
      sent.set(topic, topic.version())
    }
    await bell.next(LOOK_MS, stream.signal)
  }
}

interface Source {
  readonly read: () => Promise<unknown>
  /** Whether a signal may have changed it. */
  readonly concerns: (signal: Signal) => boolean
  /** How often it is read without a signal; default: every five seconds. */
  readonly lookMs?: number
}

function createHub(deps: LiveDeps) {
  const run = Date.now().toString(36)
  const topics = new Map<string, Topic & { note(signal: Signal): void }>()
  const subscription = deps.store.subscribe((signal) => {
    for (const topic of topics.values()) topic.note(signal)
  })
  return {
    /** To be entered at once: it is forgotten when its last follower leaves. */
    topic(ownerId: string, name: string): Topic {
      const key = name === 'store' ? name : `${ownerId} ${name}`
      const known = topics.get(key)
      if (known !== undefined) return known
      const source = sourceOf(deps, ownerId, name)
      const made = createTopic({ name, run, source, log: deps.log, onEmpty: () => topics.delete(key) })
      topics.set(key, made)
      return made
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  }
}

function sourceOf(deps: LiveDeps, ownerId: string, name: string): Source {
  const { store } = deps
  const [kind = '', word = ''] = name.split(/:(.*)/su)
  if (kind === 'endpoint') return endpointSource(store, ownerId, word)
  if (kind === 'job') return jobSource(store, ownerId, word)
  if (kind === 'store') return storeSource(store)
  if (kind === 'endpoints') {
    const loads = createEndpointLoads(deps, ownerId)
    return { read: () => loads.read(), concerns: (signal) => loads.note(signal) }
  }
  return poolSource(deps, ownerId)
}

/** Only readings of cards, which the scaler reports every ten seconds, and when a host was last seen give no signal. */
function poolSource({ store, workers }: LiveDeps, ownerId: string): Source {
  const own = followOwnEndpoints(store, ownerId)
  const { scalerReport } = store
  let known: ReturnType<typeof readHosts> | undefined
  const readHosts = () => ({ hosts: store.hosts.list(), cards: store.cards.list(), at: performance.now() })
  return {
    lookMs: LOOK_AT_POOL_MS,
    concerns(signal) {
      own.note(signal)
      const concerns = POOL_SIGNALS.has(signal.kind)
      if (concerns) known = undefined
      return concerns
    },
    async read() {
      const endpoints = await own.read()
      if (known !== undefined && performance.now() - known.at >= HOSTS_HOLD_MS) known = undefined
      const { hosts, cards } = (known ??= readHosts())
      const facts = { hosts: { list: () => hosts }, cards: { list: () => cards }, scalerReport, workers }
      return readPool(facts, endpoints).catch((error: unknown) => {
        known = undefined
        throw error
      })
    },
  }
}

function storeSource(store: Pick<GatewayDeps['store'], 'isUp' | 'silentMs' | 'isAnswering'>): Source {
  const isHeard = (): boolean => store.isUp() && store.silentMs() < SILENT_MS
  return {
    lookMs: LOOK_AT_STORE_MS,
    concerns: ({ kind }) => kind === 'resync',
    read: async () => ({ redis: isHeard() || (await isStoreAnswering(store, ANSWER_MS)) ? 'up' : 'away' }),
  }
}

function endpointSource(store: GatewayDeps['store'], ownerId: string, word: string): Source {
  const own = followOwnEndpoints(store, ownerId)
  let endpoint: Endpoint | undefined
  return {
    concerns(signal) {
      own.note(signal)
      return own.isOutdated() || ('endpointId' in signal && signal.endpointId === endpoint?.id)
    },
    async read() {
      endpoint = findEndpoint((await own.read()).asked, word)
      return endpoint === undefined
        ? null
        : { id: endpoint.id, name: endpoint.name, ...healthOf(await readEndpointLoad(store, endpoint.id)) }
    },
  }
}

/** A job that was not there is not looked for again: ids are given by the gateway, to jobs that it has. */
function jobSource({ endpoints, jobs }: GatewayDeps['store'], ownerId: string, id: string): Source {
  let endpointId: string | null | undefined
  return {
    concerns: (signal) =>
      signal.kind === 'resync' || ('jobId' in signal ? signal.jobId === id : 'endpointId' in signal && signal.endpointId === endpointId),
    async read() {
      if (endpointId === undefined) {
        const own = await ownEndpoints({ endpoints }, ownerId)
        endpointId = (await findJob(jobs, own.asked, id))?.endpoint.id ?? null
      }
      return endpointId === null ? null : withoutPayload(await jobs.get(endpointId, id))
    },
  }
}

function withoutPayload(job: object | undefined): unknown {
  return job === undefined ? null : { ...job, output: undefined, timings: undefined }
}

interface TopicOptions {
  readonly name: string
  readonly run: string
  readonly source: Source
  readonly log: GatewayDeps['log']
  readonly onEmpty: () => void
}

function createTopic({ name, run, source, log, onEmpty }: TopicOptions): Topic & { note(signal: Signal): void } {
  const followers = new Set<() => void>()
  const bell = createBell(AT_MOST_EVERY_MS)
  const state = createState({ name, run, source })
  let gaps = 0

  async function look(): Promise<void> {
    const isNew = await state.read().catch((error: unknown) => {
      log.debug({ err: error, topic: name }, 'the state of a topic could not be read')
      return false
    })
    if (isNew) for (const onChange of followers) onChange()
  }
  async function goOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await bell.next(source.lookMs ?? LOOK_MS, signal)
      if (!signal.aborted) await look()
    }
  }
  let looking = new AbortController()
  return {
    name,
    version: state.version,
    text: state.text,
    gaps: () => gaps,
    note(signal) {
      if (signal.kind === 'resync') gaps += 1
      if (source.concerns(signal)) bell.ring()
    },
    async enter(onChange) {
      followers.add(onChange)
      if (followers.size === 1) {
        looking = new AbortController()
        await look()
        void goOn(looking.signal)
      }
      return {
        [Symbol.dispose]() {
          followers.delete(onChange)
          if (followers.size > 0) return
          looking.abort()
          onEmpty()
        },
      }
    },
  }
}

function createState({ name, run, source }: Pick<TopicOptions, 'name' | 'run' | 'source'>) {
  let [text, number]: [string, number] = [JSON.stringify({ topic: name } satisfies LiveEvent), 0]
  return {
    version: () => `${run}.${number}`,
    text: () => text,
    /** Whether it is another one. */
    async read(): Promise<boolean> {
      const now = JSON.stringify({ topic: name, value: await source.read() } satisfies LiveEvent)
      if (now === text) return false
      ;[text, number] = [now, number + 1]
      return true
    },
  }
}
