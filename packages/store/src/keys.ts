// The names of all Redis keys, in one place; scripts get those that they use by name (`endpointKeys`). Every key of an endpoint shares the hash tag
// `{endpointId}` (BullMQ's own `<prefix>:{ep}:…` included), everything global shares `{@}`, which no endpoint id can be; so each script stays in one
// slot. Job ids hold no colon, hence `<queue>:<jobId>` (BullMQ's) can never meet our `<queue>:s:<jobId>`.
import { QueueKeys } from 'bullmq'
import { defineLua } from './scripts/define-script.ts'

/** Keys that an endpoint has one of; in Lua by the same name in capitals. */
const OF_ENDPOINT = {
  // BullMQ's structures. They are ours to move jobs in; its classes are not used: its Worker would open a blocking connection per queue, which a
  // gateway that is woken by signals never uses.
  wait: 'wait',
  active: 'active',
  prioritized: 'prioritized',
  stalled: 'stalled',
  delayed: 'delayed',
  paused: 'paused',
  limiter: 'limiter',
  meta: 'meta',
  marker: 'marker',
  priorityCounter: 'pc',
  queueEvents: 'events',
  // Ours.
  workers: 'r:workers',
  events: 'r:events',
  /** Of its jobs, which are many. */
  eventsOfJobs: 'r:job-events',
  releases: 'r:releases',
  status: 'r:status',
  /** Open requests, by gateway. */
  requests: 'r:requests',
  counters: 'r:counters',
  keyJobs: 'r:key-jobs',
  deadlines: 'r:deadlines',
  /** The latest term of a leader that was seen here (ADR 33). */
  term: 'r:term',
  /** The endpoint's last keys were removed: nothing is written to it any more. For an hour, as the term. */
  forgotten: 'r:forgotten',
  /** Ended jobs, and those whose result is gone. */
  ended: 'r:ended',
  gone: 'r:gone',
  purges: 'r:purges',
  suspects: 'r:suspects',
  drafts: 'r:drafts',
  /** Idempotency keys and when they expire. */
  once: 'r:once',
  expired: 'r:expired',
  /** Batches, the active ones, when each expires. */
  batches: 'r:batches',
  activeBatches: 'r:batches:active',
  batchesUntil: 'r:batches:until',
  /** Webhook events that wait, those that were given up, what all of them weigh, and the delivery log. */
  outbox: 'r:outbox',
  lanes: 'r:lanes',
  givenUp: 'r:given-up',
  outboxBytes: 'r:outbox-bytes',
  webhookLog: 'r:hook-log',
  /** Of the outbox of notices alone: the problems that its receivers know of. */
  notices: 'r:notices',
} as const

/** Keys that an endpoint has one of per name: what stands before and after it; in Lua a function, `jobKey(id)`. */
const OF_NAME = {
  // BullMQ's.
  job: ['', ''],
  lock: ['', ':lock'],
  // Ours.
  settled: ['s:', ''],
  chunks: ['c:', ''],
  worker: ['w:', ''],
  /** By the hash of an idempotency key. */
  once: ['i:', ''],
  /** By kind, `async` or `sync`. */
  kept: ['r:kept:', ''],
  /** By the number of a purge: jobs without an end. */
  purgedWait: ['r:purged:', ':wait'],
  purgedLow: ['r:purged:', ':low'],
  batch: ['b:', ''],
  batchIds: ['b:', ':ids'],
  batchDrafts: ['b:', ':drafts'],
  /** Webhook events: by event, by receiver, by job. */
  event: ['h:', ''],
  lane: ['l:', ''],
  jobEvents: ['e:', ''],
} as const

const SIGNALS = '{@}:signals'

export type Keys = ReturnType<typeof createKeys>

export function createKeys(prefix: string) {
  const queue = (endpointId: string): string => `${prefix}:{${endpointId}}`
  const of = (endpointId: string, key: keyof typeof OF_ENDPOINT): string => `${queue(endpointId)}:${OF_ENDPOINT[key]}`
  const ofName = (endpointId: string, key: keyof typeof OF_NAME, name: string): string =>
    `${queue(endpointId)}:${OF_NAME[key][0]}${name}${OF_NAME[key][1]}`
  return {
    prefix,
    /** Base of all keys of an endpoint; `queue` in the scripts. */
    queue,
    of,
    ofName,
    worker: (endpointId: string, workerId: string) => ofName(endpointId, 'worker', workerId),
    /** What a deleted endpoint leaves. Results and chunks of its jobs expire, its outbox is still delivered. */
    leftBy: (endpointId: string): readonly string[] => [
      ...LEFT.map((key) => of(endpointId, key)),
      ...['async', 'sync'].map((kind) => ofName(endpointId, 'kept', kind)),
      ...Object.values(new QueueKeys(prefix).getKeys(`{${endpointId}}`)),
    ],
    goneWorker: (workerId: string) => `${prefix}:gone:{${workerId}}`,
    workerLog: (workerId: string, source: string) => ({
      lines: `${prefix}:log:{${workerId}}:${source}`,
      /** How many lines there ever were, and what the kept ones weigh. */
      count: `${prefix}:log:{${workerId}}:${source}:count`,
    }),
    /** Present while a client follows the log. */
    workerLogFollowed: (workerId: string) => `${prefix}:log:{${workerId}}:followed`,
    ...sharedKeys(prefix, of),
  }
}

const LEFT = [
  'workers',
  'events',
  'eventsOfJobs',
  'releases',
  'status',
  'requests',
  'counters',
  'keyJobs',
  'deadlines',
  'ended',
  'gone',
  'purges',
  'suspects',
  'drafts',
  'once',
  'expired',
  'batches',
  'activeBatches',
  'batchesUntil',
] as const satisfies readonly (keyof typeof OF_ENDPOINT)[]

const ledgerKeys = (shared: string) => ({
  open: `${shared}:ledger-open`,
  rows: `${shared}:ledger-rows`,
  totals: `${shared}:ledger-totals`,
  /** What rows were added up to by day; '' is the owner of what has none. */
  days: (ownerId: string) => `${shared}:ledger-days:${ownerId}`,
  /** How far that went. */
  rolled: `${shared}:ledger-rolled`,
})

function sharedKeys(prefix: string, of: (endpointId: string, key: 'term') => string) {
  const shared = `${prefix}:{@}`
  const term = `${shared}:term`
  return {
    signals: `${prefix}:${SIGNALS}`,
    instance: `${shared}:instance`,
    dataVersion: `${shared}:data-version`,
    dataLock: `${shared}:data-lock`,
    /** The leader's lease, and the latest term that was given out. */
    leader: { lease: `${shared}:leader`, term },
    /** Where the latest term is kept that was seen in a key's slot. */
    fenceOf: (key: string) => (key.startsWith(`${shared}:`) ? term : of(key.slice(key.indexOf('{') + 1, key.indexOf('}')), 'term')),
    /** What the leader says of itself. */
    scalerReport: `${shared}:scaler-report`,
    /** Of ends that a gateway has not counted yet. */
    measures: `${shared}:measures`,
    tracedEnds: `${shared}:traced-ends`,
    /** What is known of each host: a field per host and part. */
    hosts: `${shared}:hosts`,
    /** Card → the worker that holds it, `endpointId/workerId`, or an object of those that share it with their budgets in bytes. */
    cards: `${shared}:cards`,
    /** Of cards that no worker holds: a field per card and part. */
    cardStates: `${shared}:card-states`,
    /** Jobs with blobs, `endpointId/jobId`. */
    blobs: `${shared}:blobs`,
    /** Ids by when to look at them again, records by id, and what holds one. */
    artifacts: {
      list: `${shared}:artifact-list`,
      records: `${shared}:artifacts`,
      holders: (id: string) => `${shared}:artifact-holders:${id}`,
    },
    /** Batches that may have been left half-way, `endpointId/batchId`. */
    unfinishedBatches: `${shared}:batches-unfinished`,
    endpoints: {
      records: `${shared}:endpoints`,
      names: `${shared}:endpoint-names`,
      templates: `${shared}:endpoint-templates`,
      deleted: `${shared}:endpoints-deleted`,
      /** Of those that were deleted, until the ledger has no more of them, and when they were. */
      owners: `${shared}:endpoint-owners`,
      ownersSince: `${shared}:endpoint-owners-since`,
    },
    volumes: { stores: `${shared}:volume-stores`, removals: `${shared}:volume-removals` },
    webhooks: { endpoints: `${shared}:webhook-endpoints`, secrets: `${shared}:webhook-secrets` },
    /** A hash per kind of resource, e.g. of templates. */
    resource: (kind: string) => `${shared}:${kind}`,
    upload: (id: string) => `${shared}:upload:${id}`,
    /** By id of a build. */
    manifests: `${shared}:manifests`,
    /** Whose credentials an image came with. */
    privateImage: (imageId: string) => `${shared}:private-image:${imageId}`,
    /** Grows with each write of an endpoint or a resource. */
    revision: `${shared}:revision`,
    ...callerKeys(shared),
    ledger: ledgerKeys(shared),
    history: historyKeys(shared),
  }
}

const historyKeys = (shared: string) => ({
  jobs: `${shared}:history-jobs`,
  failures: `${shared}:history-failures`,
  samples: `${shared}:history-samples`,
  sampleMinutes: `${shared}:history-sample-minutes`,
  cardChanges: `${shared}:history-card-changes`,
  minutes: `${shared}:history-minutes`,
  hours: `${shared}:history-hours`,
  /** Ids of workers by when they were gone, what is kept of each, and how many jobs each has ended. */
  lives: `${shared}:history-lives`,
  lifeRecords: `${shared}:history-life-records`,
  counts: `${shared}:history-counts`,
  /** What each kind weighs. */
  bytes: `${shared}:history-bytes`,
})

function callerKeys(shared: string) {
  return {
    apiKeys: {
      records: `${shared}:api-keys`,
      hashes: `${shared}:api-key-hashes`,
      uses: `${shared}:api-key-uses`,
      slots: `${shared}:api-key-slots`,
    },
    /** By the SHA-256 of a browser's session, and of a one-time code for one. */
    session: (hash: string) => `${shared}:session:${hash}`,
    sessionCode: (hash: string) => `${shared}:session-code:${hash}`,
    /** Login requests by id, and when they expire. */
    logins: { records: `${shared}:logins`, expiries: `${shared}:login-expiries` },
  }
}

/** The keys of an endpoint for scripts, whose first key is `queue`; and the channel of signals, which lies beside them. */
export const endpointKeys = defineLua({
  constants: { SIGNALS },
  lua: [
    ...Object.entries(OF_ENDPOINT).map(([name, key]) => `local ${toConstant(name)} = queue .. ':${key}'`),
    ...Object.entries(OF_NAME).map(([name, [before, after]]) => {
      const end = after === '' ? '' : ` .. '${after}'`
      return `local function ${name}Key(name) return queue .. ':${before}' .. name${end} end`
    }),
    '',
  ].join('\n'),
})

/** `outboxBytes` → `OUTBOX_BYTES` */
function toConstant(name: string): string {
  return name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()
}
