// The names of all Redis keys, in one place. Every key of an endpoint shares the hash tag `{endpointId}` (BullMQ's own
// `<prefix>:{ep}:…` included), everything global shares `{@}`, which no endpoint id can be; so each script stays in one slot.
// Job ids hold no colon, hence `<queue>:<jobId>` (BullMQ's) can never meet our `<queue>:s:<jobId>` (`c:` chunks, `i:` idempotency keys).

export interface Keys {
  readonly prefix: string
  /** The name that BullMQ knows the endpoint's queue by. */
  queueName(endpointId: string): string
  /** Base of all keys of an endpoint; `queue` in the scripts. */
  queue(endpointId: string): string
  worker(endpointId: string, workerId: string): string
  workers(endpointId: string): string
  events(endpointId: string): string
  status(endpointId: string): string
  counters(endpointId: string): string
  deadlines(endpointId: string): string
  /** Of ended jobs, purges, suspects, drafts, idempotency keys and expired jobs; written by the scripts. */
  register(endpointId: string): readonly string[]
  /** The index of batches, the active ones, when each expires; each batch has its own keys, which expire. */
  batches(endpointId: string): readonly [index: string, active: string, until: string]
  /** Events that wait, events that were given up, what they weigh; written by the scripts. */
  outbox(endpointId: string): readonly [waiting: string, givenUp: string, bytes: string]
  webhookLog(endpointId: string): string
  /** The endpoint's last keys were removed: nothing is written to it any more. For an hour, as the fence. */
  forgotten(endpointId: string): string
  goneWorker(workerId: string): string
  workerLog(workerId: string, source: string): string
  /** How many lines there ever were, and what the kept ones weigh. */
  workerLogCount(workerId: string, source: string): string
  /** Present while a client follows the log. */
  workerLogFollowed(workerId: string): string
  readonly signals: string
  readonly instance: string
  /** A number; absent = 0. */
  readonly dataVersion: string
  readonly dataLock: string
  /** The leader's lease, and the latest term that was given out. */
  readonly leader: { readonly lease: string; readonly term: string }
  /** Of ends that a gateway has not counted yet. */
  readonly measures: string
  /** What is known of each host: a field per host and part. */
  readonly hosts: string
  /** Card → the worker that holds it, `endpointId/workerId`. */
  readonly cards: string
  /** Where the latest term is kept that was seen in a key's slot. */
  readonly fenceOf: (key: string) => string
  /** Jobs with blobs, `endpointId/jobId`. */
  readonly blobs: string
  /** Ids by when to look at them again, records by id, and what holds one. */
  readonly artifacts: { readonly list: string; readonly records: string; readonly holders: (id: string) => string }
  /** Batches that may have been left half-way, `endpointId/batchId`. */
  readonly unfinishedBatches: string
  readonly endpoints: {
    readonly records: string
    readonly names: string
    readonly templates: string
    readonly deleted: string
    /** Of those that were deleted, until the ledger has no more of them, and when they were. */
    readonly owners: string
    readonly ownersSince: string
  }
  readonly webhooks: { readonly endpoints: string; readonly secrets: string }
  readonly templates: string
  readonly registries: string
  /** Whose credentials an image came with. */
  privateImage(imageId: string): string
  /** Grows with each write of an endpoint, a template or a registry. */
  readonly revision: string
  readonly apiKeys: { readonly records: string; readonly hashes: string; readonly uses: string; readonly slots: string }
  readonly ledger: {
    readonly open: string
    readonly rows: string
    readonly totals: string
    /** What rows were added up to by day; '' is the owner of what nobody owns. */
    readonly days: (ownerId: string) => string
    /** How far that went. */
    readonly rolled: string
  }
}

export function createKeys(prefix: string): Keys {
  return { prefix, ...endpointKeys(prefix), ...sharedKeys(prefix) }
}

function endpointKeys(prefix: string) {
  const queue = (endpointId: string) => `${prefix}:{${endpointId}}`
  return {
    queueName: (endpointId) => `{${endpointId}}`,
    queue,
    worker: (endpointId, workerId) => `${queue(endpointId)}:w:${workerId}`,
    workers: (endpointId) => `${queue(endpointId)}:r:workers`,
    events: (endpointId) => `${queue(endpointId)}:r:events`,
    status: (endpointId) => `${queue(endpointId)}:r:status`,
    counters: (endpointId) => `${queue(endpointId)}:r:counters`,
    deadlines: (endpointId) => `${queue(endpointId)}:r:deadlines`,
    register: (endpointId) =>
      ['ended', 'kept:async', 'kept:sync', 'gone', 'purges', 'suspects', 'drafts', 'once', 'expired'].map(
        (part) => `${queue(endpointId)}:r:${part}`,
      ),
    batches: (endpointId) => [
      `${queue(endpointId)}:r:batches`,
      `${queue(endpointId)}:r:batches:active`,
      `${queue(endpointId)}:r:batches:until`,
    ],
    outbox: (endpointId) => [`${queue(endpointId)}:r:outbox`, `${queue(endpointId)}:r:given-up`, `${queue(endpointId)}:r:outbox-bytes`],
    forgotten: (endpointId) => `${queue(endpointId)}:r:forgotten`,
    webhookLog: (endpointId) => `${queue(endpointId)}:r:hook-log`,
    goneWorker: (workerId) => `${prefix}:gone:{${workerId}}`,
    workerLog: (workerId, source) => `${prefix}:log:{${workerId}}:${source}`,
    workerLogCount: (workerId, source) => `${prefix}:log:{${workerId}}:${source}:count`,
    workerLogFollowed: (workerId) => `${prefix}:log:{${workerId}}:followed`,
  } satisfies Partial<Keys>
}

function sharedKeys(prefix: string) {
  const shared = `${prefix}:{@}`
  return {
    signals: `${shared}:signals`,
    instance: `${shared}:instance`,
    dataVersion: `${shared}:data-version`,
    dataLock: `${shared}:data-lock`,
    leader: { lease: `${shared}:leader`, term: `${shared}:term` },
    measures: `${shared}:measures`,
    hosts: `${shared}:hosts`,
    cards: `${shared}:cards`,
    fenceOf: (key) => (key.startsWith(`${shared}:`) ? `${shared}:term` : `${key.slice(0, key.indexOf('}') + 1)}:r:term`),
    blobs: `${shared}:blobs`,
    artifacts: {
      list: `${shared}:artifact-list`,
      records: `${shared}:artifacts`,
      holders: (id) => `${shared}:artifact-holders:${id}`,
    },
    unfinishedBatches: `${shared}:batches-unfinished`,
    endpoints: {
      records: `${shared}:endpoints`,
      names: `${shared}:endpoint-names`,
      templates: `${shared}:endpoint-templates`,
      deleted: `${shared}:endpoints-deleted`,
      owners: `${shared}:endpoint-owners`,
      ownersSince: `${shared}:endpoint-owners-since`,
    },
    webhooks: { endpoints: `${shared}:webhook-endpoints`, secrets: `${shared}:webhook-secrets` },
    templates: `${shared}:templates`,
    registries: `${shared}:registries`,
    privateImage: (imageId) => `${shared}:private-image:${imageId}`,
    revision: `${shared}:revision`,
    apiKeys: {
      records: `${shared}:api-keys`,
      hashes: `${shared}:api-key-hashes`,
      uses: `${shared}:api-key-uses`,
      slots: `${shared}:api-key-slots`,
    },
    ledger: {
      open: `${shared}:ledger-open`,
      rows: `${shared}:ledger-rows`,
      totals: `${shared}:ledger-totals`,
      days: (ownerId) => `${shared}:ledger-days:${ownerId}`,
      rolled: `${shared}:ledger-rolled`,
    },
  } satisfies Partial<Keys>
}
