// Which test files run when. Two rows of stages run beside each other: CI has two cores, and a test that waits for a lease, a grace or an engine needs none. Each
// runs its stages in their order; each test file of the repository is in exactly one stage.
import { sep } from 'node:path'

export interface Stage {
  readonly name: string
  readonly row: 'working' | 'waiting'
  /** How many of its files run at a time. */
  readonly places: number
  /** Whether it waits until the engine, the worker image and the Python environments are set up. */
  readonly needsSetup: boolean
  readonly holds: (path: string) => boolean
  /** Whether it fails where a line or a branch is not reached (`coverage` in vitest.config.ts). */
  readonly isMeasured?: boolean
}

/** The only units that need more than Redis and Python. They wait for the engine. */
const WITH_ENGINE = ['packages', 'hosts', 'docker', ''].join(sep)

const CORE = ['packages', 'core', ''].join(sep)

/**
 * Files that wait for most of their time, at least a quarter of a minute each. Between files that compute each would keep a place for nothing, so they
 * have two places of their own. A long file belongs here if `scripts/slow-tests.ts` shows little processor time for its time on the clock.
 */
export const WAITING: readonly string[] = [
  'apps/scaler/src/failing-cards.test.ts',
  'apps/scaler/src/card-keeper.test.ts',
  'apps/scaler/src/main.test.ts',
  'apps/scaler/src/host-facts.test.ts',
  'test/docker/two-hosts.test.ts',
  'test/process/alerts.test.ts',
  'test/docker/releases.test.ts',
  'test/docker/failing-cards.test.ts',
  'test/process/two-scalers.test.ts',
  'test/process/large-values.test.ts',
  'test/process/client-rows.test.ts',
  'test/docker/rebuilt-images.test.ts',
  'test/docker/standby.test.ts',
  'test/docker/images.test.ts',
  'test/docker/replaced-workers.test.ts',
  'test/process/gateway-away.test.ts',
  'test/process/sharing-cards.test.ts',
  'test/process/idle-workers.test.ts',
]
const NAMED = new Set(WAITING.map((path) => path.replaceAll('/', sep)))
const waits = (path: string): boolean => NAMED.has(path) || path.startsWith(WITH_ENGINE)

/**
 * Beside each other these keep CI's two cores busy and not more. By the processor time of control groups a unit file uses a third of a core (those of
 * agent and scaler: 115 s in some 340 s), a scenario half of one (worker-sdks: 29 s in 43 s, flash-1-21: 31 s in 57 s), and what waits a quarter
 * (client-rows: 9 s in 33 s, large-values: 15 s in 68 s). Four units beside what waits kept the cores 84 % busy. Both rows are to end at the same
 * time: where one ends first, give it files of the other.
 */
const PLACES = { units: 6, scenarios: 4, waiting: 2 } as const

const isScenario = (path: string): boolean => path.startsWith(`test${sep}`) || path.startsWith(WITH_ENGINE)

export const STAGES: readonly Stage[] = [
  // The first three run while the engine, the worker image and the Python environments are set up.
  {
    name: 'the decisions of core, every line and branch',
    row: 'working',
    places: PLACES.units,
    needsSetup: false,
    holds: (path) => path.startsWith(CORE),
    isMeasured: true,
  },
  {
    name: 'units, properties and store',
    row: 'working',
    places: PLACES.units,
    needsSetup: false,
    holds: (path) => !isScenario(path) && !path.startsWith(CORE) && !waits(path),
  },
  {
    name: 'units that wait',
    row: 'waiting',
    places: PLACES.waiting,
    needsSetup: false,
    holds: (path) => !isScenario(path) && waits(path),
  },
  {
    name: 'engine, and scenarios that wait',
    row: 'waiting',
    places: PLACES.waiting,
    needsSetup: true,
    holds: (path) => isScenario(path) && waits(path),
  },
  {
    name: 'scenarios and SDKs',
    row: 'working',
    places: PLACES.scenarios,
    needsSetup: true,
    holds: (path) => isScenario(path) && !waits(path),
  },
]
