// One host per test of the conformance suites, and what they do with it. Workers are small shell scripts; the fixture's `launch` makes its host run one.
import { randomBytes } from 'node:crypto'
import type { HostDriver, LogLine, ObservedWorker, WorkerLaunch } from '@runyard/schema'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { HostFixture } from './host-fixture.ts'
import { workerLaunch } from './worker-launch.ts'

export const FOREVER = 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'

export interface HostWorld {
  /** Of the running test. */
  readonly fixture: HostFixture
  readonly driver: HostDriver
  readonly find: (id: string, of?: HostDriver) => Promise<ObservedWorker | undefined>
  /** Starts a worker that runs the script; resolves to its id. */
  readonly start: (script: string, overrides?: Partial<WorkerLaunch>) => Promise<string>
  /** The worker, once it has ended. */
  readonly ended: (id: string) => Promise<ObservedWorker>
  /** Its lines, once one of them contains the text. */
  readonly outputOf: (id: string, text: string) => Promise<readonly LogLine[]>
  /** The system takes away what was killed a moment later. */
  readonly isClean: () => Promise<void>
}

/** `factory` is called before each test; the fixture is disposed after the test and must leave nothing behind. */
export function useHost(factory: () => Promise<HostFixture>): HostWorld {
  let fixture: HostFixture
  let driver: HostDriver

  const isClean: HostWorld['isClean'] = () =>
    vi.waitFor(async () => expect(await fixture.leftovers()).toEqual([]), { timeout: 10_000, interval: 50 })

  beforeEach(async () => {
    fixture = await factory()
    driver = fixture.createDriver()
  })

  afterEach(async () => {
    for (const worker of await driver.listWorkers()) await driver.removeWorker(worker.workerId)
    try {
      await isClean()
    } finally {
      await driver[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
    }
  })

  const find: HostWorld['find'] = async (id, of = driver) => (await listed(of)).find((worker) => worker.workerId === id)
  return {
    get fixture() {
      return fixture
    },
    get driver() {
      return driver
    },
    find,
    isClean,
    start: async (script, overrides = {}) => {
      const launch = fixture.launch(baseLaunch(overrides), script)
      await driver.startWorker(launch)
      return launch.workerId
    },
    ended: (id) =>
      eventually(async () => {
        const worker = await find(id)
        return worker?.state === 'exited' ? worker : undefined
      }),
    outputOf: (id, text) =>
      eventually(async () => {
        const lines = await driver.tailLogs(id, 100)
        return lines.some(({ line }) => line.includes(text)) ? lines : undefined
      }),
  }
}

/** Without the disk usage, which a driver measures only from time to time. */
export const listed = async (driver: HostDriver): Promise<readonly ObservedWorker[]> =>
  (await driver.listWorkers()).map((worker) => ({ ...worker, diskBytes: 0 }))

export const baseLaunch = (overrides: Partial<WorkerLaunch>): WorkerLaunch =>
  workerLaunch({ workerId: `t${randomBytes(8).toString('hex')}`, endpointId: 'conformance', pidsLimit: 128, ...overrides })

/** What `look` finds at last; the test's own timeout limits it. */
export const eventually = <T>(look: () => Promise<T | undefined>) => vi.waitUntil(look, { timeout: 600_000, interval: 20 })
