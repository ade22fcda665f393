import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The longest files start first, so that none of them runs alone at the end. Others follow in vitest's order: the largest first, and so at the end the files
 * of six lines whose suites are in `test/suites`.
 */
const LONGEST = [
  'two-hosts',
  'alerts',
  'page.test',
  'deploy.test',
  'docker/deployed',
  'releases',
  'worker-image',
  'large-values',
  'worker-sdks',
  'client-rows',
  'flash-1-',
  'two-scalers',
  'chaos',
  'bursts',
  'client-contract',
  'sdk-',
  'process/deployed',
  'failures.test',
  'volumes.test',
  'observability.test',
  'noise.test',
  'hostile-worker',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = LONGEST.findIndex((name) => moduleId.includes(`/${name}`))
      return rank === -1 ? LONGEST.length : rank
    }
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other))
  }
}

export default defineConfig({
  test: {
    // Bounds for what hangs, not for what is slow: CI's two cores are shared, and a wait that is over ends at once.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 30_000 } },
    // `./runyard test` decides it for each of its stages (scripts/test/stages.ts).
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // The agents, gateways and clients that tests start load their modules as code that is compiled already.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
    setupFiles: ['./test/harness/setup-file.ts'],
    // With `--coverage`: every line and branch of the decisions is reached by the units of `core` alone, whatever properties draw.
    coverage: {
      provider: 'v8',
      include: ['packages/core/src/*.ts'],
      thresholds: { 100: true },
      reporter: [['text', { skipFull: true }]],
      reportsDirectory: join('node_modules', '.cache', 'coverage'),
    },
    // Files share a process and its loaded modules, which nearly halves the processor time of units. Our modules keep no state of their own, and
    // those of `test/harness` none of a file.
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'units', include: ['{apps,packages,packages/hosts}/*/src/**/*.test.ts', 'scripts/**/*.test.ts'] },
      },
      {
        extends: true,
        // There a probe is often a request or a command, and processors are scarce.
        test: { name: 'scenarios', include: ['test/**/*.test.ts'], expect: { poll: { timeout: 30_000, interval: 100 } } },
      },
    ],
  },
})
