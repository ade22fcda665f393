import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{apps,packages}/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Scenarios mostly wait for clients that poll; more than two at a time would starve the real Redis, Docker and SDK processes of two cores.
    maxWorkers: 2,
  },
})
