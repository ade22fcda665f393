// Test fixture: a whole gateway on a real Redis with both listeners on real sockets, one API key, and clients and workers that speak HTTP.
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { Config, EndpointId, type Endpoint, type EndpointSettings, type WorkerRecord } from '@runyard/schema'
import { createLogger, type Logger } from '@runyard/kit'
import { openBlobStore } from '@runyard/blobs'
import { openStore, storeOptionsOf, type OpenStoreOptions, type Store } from '@runyard/store'
import { createRead, createSend, playWorker, type PlayedWorker, type Send } from '@runyard/testing'
import { endpointRecord, workerRecord } from '@runyard/testing/records'
import { openGateway } from '../open-gateway.ts'
import { buildPublicApp, buildWorkerPlaneApp } from '../listeners.ts'
import type { Resolve } from '../webhooks/name-lookup.ts'
import type { Notices } from '../parts/notices.ts'
import type { Tunnels } from '../workers/tunnels.ts'

export interface TestWorker extends PlayedWorker {
  readonly record: WorkerRecord
  /** Submits a job to its endpoint and takes it; returns the job's id. */
  startJob(input?: unknown, envelope?: Readonly<Record<string, unknown>>): Promise<string>
}

export interface TestGateway extends AsyncDisposable {
  readonly apps: { readonly publicApp: FastifyInstance; readonly workerPlane: FastifyInstance }
  readonly store: Store
  readonly log: Logger
  readonly publicUrl: string
  readonly workerPlaneUrl: string
  readonly key: string
  /** To the public listener, with the key. */
  readonly call: Send
  /** What GET answers to the key. @throws unless it is 200. */
  readonly read: <T>(path: string) => Promise<T>
  /** To the worker plane, without credentials. */
  readonly callPlane: Send
  /** To the ports of workers. */
  readonly tunnels: Tunnels
  readonly notices: Notices
  /** How many takes of a worker wait for a job here. */
  parkedTakes(workerId: string): number
  /** `/run` with the key; returns the job's id. */
  submit(endpointId: string, input?: unknown, envelope?: Readonly<Record<string, unknown>>): Promise<string>
  /** `/status` with the key. */
  statusOf(endpointId: string, jobId: string): Promise<Record<string, unknown>>
  addEndpoint(change?: Partial<Endpoint>, settings?: Partial<EndpointSettings>): Promise<Endpoint>
  addWorker(endpointId: string, change?: Partial<WorkerRecord>): Promise<TestWorker>
}

export interface TestGatewayOptions {
  /** Two gateways with one share everything. */
  readonly prefix?: string
  readonly signalCheckMs?: number
  readonly answerMs?: number
  /** Stands in for the DNS of webhooks. */
  readonly resolve?: Resolve
}

export async function startGateway(
  redisUrl: string,
  config: Record<string, unknown> = {},
  { prefix = randomId('test'), resolve, ...more }: TestGatewayOptions = {},
): Promise<TestGateway> {
  await using opening = new AsyncDisposableStack()
  const parsed = Config.parse({ lease: { durationS: 5 }, ...config })
  const store = opening.use(
    await openStore({
      ...storeOptionsOf(parsed, 'runyard-gateway'),
      ...(await blobsOf(parsed)),
      redisUrl,
      prefix,
      ...more,
    }),
  )
  const { plain: key } = await store.keys.create({ name: 'test', ownerId: 'owner' })
  const log = createLogger({ name: 'gateway', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' })
  const gateway = openGateway({ store, config: parsed, log, ...(resolve === undefined ? {} : { resolve }) })
  const plane = opening.adopt(await buildWorkerPlaneApp(gateway.deps), (app) => app.close())
  const publicApp = opening.adopt(await buildPublicApp(gateway.deps), (app) => app.close())
  opening.use(gateway)
  const workerPlaneUrl = await plane.listen({ host: '127.0.0.1', port: 0 })
  const publicUrl = await publicApp.listen({ host: '127.0.0.1', port: 0 })
  const callPlane = createSend(workerPlaneUrl)
  const call = createSend(publicUrl, { authorization: `Bearer ${key}` })
  const submit = createSubmit(call)
  const scope = opening.move()
  return {
    apps: { publicApp, workerPlane: plane },
    store,
    log,
    publicUrl,
    workerPlaneUrl,
    key,
    call,
    read: createRead(call),
    callPlane,
    tunnels: gateway.deps.tunnels,
    notices: gateway.deps.notices,
    parkedTakes: (workerId) => gateway.deps.sessions.find(workerId)?.heldTakes ?? 0,
    addEndpoint: (change = {}, settings = {}) => addEndpoint(store, change, settings),
    submit,
    statusOf: async (endpointId, jobId) => (await call(`/v2/${endpointId}/status/${jobId}`)).json,
    addWorker: (endpointId, change = {}) => addWorker({ store, workerPlaneUrl, submit }, endpointId, change),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  }
}

function createSubmit(call: Send): TestGateway['submit'] {
  return async (endpointId, input = 1, envelope = {}) => {
    const { status, json } = await call(`/v2/${endpointId}/run`, { method: 'POST', body: { input, ...envelope } })
    if (status !== 200) throw new Error(`the job was refused: ${status} ${JSON.stringify(json)}`)
    return String(json['id'])
  }
}

/** For tests that name a directory. */
async function blobsOf({ blobs }: Config): Promise<Pick<OpenStoreOptions, 'blobs'>> {
  if (blobs.directory === undefined) return {}
  return { blobs: { store: await openBlobStore(blobs, blobs.directory), thresholdBytes: blobs.thresholdBytes } }
}

function randomId(prefix: string): string {
  return `${prefix}${randomBytes(5).toString('hex')}`
}

function addEndpoint(store: Store, change: Partial<Endpoint>, settings: Partial<EndpointSettings>): Promise<Endpoint> {
  const id = EndpointId.parse(randomId('ep'))
  const now = Date.now()
  const record = endpointRecord(id, { spec: { cpu: { instanceIds: ['cpu3g-2-8'] } }, settings, createdAt: now, updatedAt: now, ...change })
  return store.endpoints.upsert({ id }, () => record)
}

async function addWorker(
  at: { store: Store; workerPlaneUrl: string; submit: TestGateway['submit'] },
  endpointId: string,
  change: Partial<WorkerRecord>,
): Promise<TestWorker> {
  const id = randomId('w')
  const now = Date.now()
  const record = workerRecord(id, { endpointId, image: 'runyard/worker:latest', createdAt: now, containerStartedAt: now, ...change })
  await at.store.workers.create(record)
  const token = await at.store.workerToken(endpointId, id)
  const worker = playWorker({ planeUrl: at.workerPlaneUrl, endpointId, id, token })
  return {
    ...worker,
    record,
    async startJob(input, envelope) {
      const jobId = await at.submit(endpointId, input, envelope)
      const taken = await worker.take()
      if (taken?.id !== jobId) throw new Error(`the worker got ${taken?.id ?? 'no job'} instead of ${jobId}`)
      return jobId
    },
  }
}
