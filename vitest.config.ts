import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Bounds for what hangs, not for what is slow: CI's two cores are shared, and a wait that is over ends at once.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 30_000 } },
    // Scenarios mostly wait for clients that poll; more than two at a time would starve the real Redis, Docker and SDK processes of two cores.
    maxWorkers: 2,
    // The agents, gateways and clients that tests start load their modules as code that is compiled already.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
    setupFiles: ['./test/harness/setup-file.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['{apps,packages,packages/hosts}/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          // Files share a process and its loaded modules, which nearly halves their processor time. Our modules keep no state of their own.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'scenarios', include: ['test/**/*.test.ts'] } },
    ],
  },
})
