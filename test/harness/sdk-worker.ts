// A worker image's own entrypoint as a child process: the plain handler on an unmodified worker SDK, with the environment that the scaler sets
// for workers. The test acts as the scaler: it writes the record and observes the end of the process.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workerEnvironment } from '@runyard/core'
import type { WorkerRecord } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Child } from './child.ts'
import { startCountingProxy, type CountingProxy } from './counting-proxy.ts'
import { pythonEnv } from './python.ts'
import { startProgram } from './python-forks.ts'
import { startStack, type Stack, type StackOptions } from './stack.ts'
import { addWorker, openTestStore } from './store.ts'
import type { VenvName } from './venvs.ts'

const PROGRAMS = join(import.meta.dirname, '..', 'programs')

export interface SdkWorker extends AsyncDisposable {
  readonly id: string
  readonly child: Child
  readonly asked: CountingProxy
  readonly record: () => Promise<WorkerRecord | undefined>
  readonly patch: (fields: Partial<WorkerRecord>) => Promise<unknown>
}

export interface OwnStack extends AsyncDisposable {
  readonly stack: Stack
  readonly store: Store
}

/** A stack whose workers a test starts itself: they are on no host, so a scaler would remove them. */
export async function startOwnStack(options: Omit<StackOptions, 'host'> = {}): Promise<OwnStack> {
  await using scope = new AsyncDisposableStack()
  const stack = await startStack({ host: 'process', ...options })
  scope.defer(() => stack.stop())
  await stack.scaler.child().stop()
  const store = scope.use(await openTestStore(stack.redis.url))
  const owned = scope.move()
  return { stack, store, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export interface SdkWorkerOptions {
  readonly stack: Stack
  readonly store: Store
  readonly endpointId: string
  readonly venv: VenvName
  /** A file of `test/programs`; default: the plain handlers. */
  readonly program?: string
  /** A key of the plain handlers' KINDS. */
  readonly kind?: 'sync' | 'async' | 'generator' | 'stream'
  readonly env?: Readonly<Record<string, string>>
}

export async function startSdkWorker(options: SdkWorkerOptions): Promise<SdkWorker> {
  const { stack, store, endpointId, venv } = options
  const { id, token } = await addWorker(store, endpointId)
  const asked = await startCountingProxy(stack.planeUrl)
  // A separate working directory, because some SDKs keep their jobs in a file there (worker-api §13).
  const cwd = await mkdtemp(join(tmpdir(), 'runyard-sdk-worker-'))
  await cp(join(PROGRAMS, options.program ?? 'plain_handler.py'), join(cwd, 'handler.py'))
  const env = workerEnvironment({
    endpoint: { id: endpointId as never, spec: { env: { HANDLER_KIND: options.kind ?? 'sync', ...options.env } } as never },
    workerId: id,
    planeUrl: asked.url,
    token,
    gpus: [],
    cpus: undefined,
    memoryBytes: undefined,
    host: { cpuCount: 2, memoryBytes: 8e9 },
    envelope: null,
    pingIntervalMs: 1000,
    caBundle: undefined,
  })
  const name = `${venv} ${options.kind ?? options.program}`
  const child = await startProgram({ name, venv, argv: ['handler.py'], cwd, env: pythonEnv(venv, cwd, env) })
  return {
    id,
    child,
    asked,
    record: () => store.workers.get(endpointId, id),
    patch: (fields) => store.workers.patch({ endpointId, workerId: id, fields }),
    async [Symbol.asyncDispose]() {
      await child.stop(0)
      await asked[Symbol.asyncDispose]()
      await rm(cwd, { recursive: true, force: true })
    },
  }
}
