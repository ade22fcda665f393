// The port to Redis for the rest of Runyard. No key name, BullMQ type or ioredis error leaves this package. Every function throws
// RunyardError('store_unavailable') while Redis is unavailable or refuses writes.
import type { Instance, Signal } from '@runyard/schema'
import type { ArtifactStore } from './blobs/blob-types.ts'
import type { BatchStore } from './batches/batch-types.ts'
import type { EventStore, StatusStore } from './endpoints/history.ts'
import type { RequestStore } from './endpoints/requests.ts'
import type { WorkerLogStore } from './workers/worker-logs.ts'
import type { WorkerStore } from './workers/workers.ts'
import type { CardStore } from './cards/cards.ts'
import type { HistoryStore } from './history/history.ts'
import type { HostStore } from './hosts/hosts.ts'
import type { VolumeStore } from './volumes/volumes.ts'
import type { LeaderStore, ScalerReportStore } from './leader/leader.ts'
import type { LoginStore } from './logins/logins.ts'
import type { LedgerStore } from './ledger/ledger.ts'
import type { JobStore } from './jobs/jobs.ts'
import type { MeasureStore, TracedEndStore } from './measures.ts'
import type { RedisFacts, RedisMemory, StoreProblem } from './problems.ts'
import type { NoticeStore } from './notices/notices.ts'
import type { WebhookStore } from './webhooks/webhooks.ts'
import type { EndpointStore } from './endpoints/endpoint-types.ts'
import type { PrivateImageStore } from './resources/private-images.ts'
import type { ManifestStore, ResourceStores } from './resources/resources.ts'
import type { ReleaseStore } from './endpoints/releases.ts'
import type { UploadStore } from './resources/uploads.ts'
import type { KeyStore } from './api-keys/api-keys.ts'
import type { SessionStore } from './api-keys/sessions.ts'

export type * from './endpoints/history.ts'
export type * from './endpoints/releases.ts'
export type * from './endpoints/requests.ts'
export type * from './measures.ts'
export type * from './problems.ts'
export type * from './workers/worker-logs.ts'
export type * from './workers/workers.ts'
export type * from './cards/cards.ts'
export type * from './history/history.ts'
export type { StreamKind } from './history/history-kinds.ts'
export type * from './hosts/hosts.ts'
export type * from './jobs/jobs.ts'
export type * from './leader/leader.ts'
export type * from './ledger/ledger.ts'
export type * from './logins/logins.ts'
export type * from './api-keys/api-keys.ts'
export type * from './api-keys/sessions.ts'
export type * from './endpoints/endpoint-types.ts'
export type * from './resources/private-images.ts'
export type * from './resources/resources.ts'
export type * from './resources/uploads.ts'
export type * from './store-options.ts'

/** What a plan reads and writes. Each call throws RunyardError('stale_term') once a later term was seen there. */
export type StoreUnderTerm = Pick<
  Store,
  'endpoints' | 'jobs' | 'workers' | 'ledger' | 'status' | 'requests' | 'hosts' | 'cards' | 'volumes' | 'scalerReport'
>

export interface Store extends AsyncDisposable {
  readonly endpoints: EndpointStore
  readonly resources: ResourceStores
  readonly releases: ReleaseStore
  readonly manifests: ManifestStore
  readonly uploads: UploadStore
  readonly privateImages: PrivateImageStore
  readonly keys: KeyStore
  readonly sessions: SessionStore
  readonly logins: LoginStore
  readonly jobs: JobStore
  readonly workers: WorkerStore
  readonly ledger: LedgerStore
  readonly workerLogs: WorkerLogStore
  readonly events: EventStore
  readonly status: StatusStore
  readonly requests: RequestStore
  /** For people; nothing else may depend on it. */
  readonly history: HistoryStore
  readonly hosts: HostStore
  readonly cards: CardStore
  readonly volumes: VolumeStore
  readonly webhooks: WebhookStore
  readonly notices: NoticeStore
  readonly batches: BatchStore
  readonly artifacts: ArtifactStore
  readonly leader: LeaderStore
  readonly scalerReport: ScalerReportStore
  readonly measures: MeasureStore
  readonly tracedEnds: TracedEndStore
  /** The same for one who leads: each call bears the term. */
  underTerm(term: number): StoreUnderTerm
  /** Created once per installation, on first use. */
  instance(): Promise<Instance>
  /** Writes `own`, else a new one, where Redis has none; answers with what Redis has. */
  readonly claimInstance: (own: Instance | undefined) => Promise<{ instance: Instance; isWritten: boolean }>
  /** The bearer token of one worker, good for its own endpoint and worker id alone; base64url, the same on every call. */
  workerToken(endpointId: string, workerId: string): Promise<string>
  /** Signals from every process on this Redis, own ones included; `resync` after a lost connection. */
  subscribe(onSignal: (signal: Signal) => void): AsyncDisposable
  publish(signal: Signal): void
  /** Is Redis there, writable, with `noeviction` and AOF? Empty = fine. Never throws. */
  problems(): Promise<readonly StoreProblem[]>
  /** How far Redis is from the ceiling beyond which it refuses writes. */
  redisMemory(): Promise<RedisMemory>
  redisFacts(): Promise<RedisFacts>
  isUp(): boolean
  /** Since the last answer of Redis. */
  silentMs(): number
  /** Asks Redis, which may hang while the connection is there: then it resolves late. Never throws. */
  isAnswering(): Promise<boolean>
  /** Calls back with the milliseconds of each script that Redis answers from now on. One caller per store. */
  timeScripts(onAnswer: (ms: number) => void): void
}
