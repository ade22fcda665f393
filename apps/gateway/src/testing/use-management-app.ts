// Test fixture: one Redis for a file, the management surfaces over a store of their own and a user of them for each test.
import { startRedis } from '@runyard/testing'
import type { TestRedis } from '@runyard/testing'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { openTestApp } from './management-app.ts'
import type { TestApp, TestUser } from './management-app.ts'

export interface TestSite {
  readonly opened: TestApp
  readonly redisUrl: string
  /** Of "owner", and who bears it. */
  readonly key: string
  readonly user: TestUser
}

/** `enter` gets each test's site before the test runs. */
export function useTestApp(enter: (site: TestSite) => void): void {
  let redis: TestRedis
  let opened: TestApp

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  beforeEach(async () => {
    opened = await openTestApp(redis.url)
    enter({ opened, redisUrl: redis.url, key: await opened.keyOf('owner'), user: await opened.userOf('owner') })
  })
  afterEach(() => opened[Symbol.asyncDispose]())
}
