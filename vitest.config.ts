import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{apps,packages,packages/hosts}/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'],
    // Bounds for what hangs, not for what is slow: CI's two cores are shared, and a wait that is over ends at once.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 30_000 } },
    // Scenarios mostly wait for clients that poll; more than two at a time would starve the real Redis, Docker and SDK processes of two cores.
    maxWorkers: 2,
    setupFiles: ['./test/harness/setup-file.ts'],
  },
})
