// `it` with one Redis for a file, and for each test the management surfaces over a store of their own and a user of them. What is exported is
// that of the running test.
import { startRedis } from '@runyard/testing'
import { test } from 'vitest'
import { openTestApp, type TestApp, type TestUser } from './management-app.ts'

export let opened: TestApp
export let redisUrl: string
/** Of "owner", and who bears it. */
export let key: string
export let user: TestUser

export const it = test
  // oxlint-disable-next-line no-empty-pattern -- vitest reads a fixture's needs from its first parameter
  .extend('redis', { scope: 'file' }, async ({}, { onCleanup }) => {
    const redis = await startRedis()
    onCleanup(() => redis.stop())
    return redis
  })
  .extend('opened', { auto: true }, async ({ redis }, { onCleanup }) => {
    redisUrl = redis.url
    const app = await openTestApp(redisUrl)
    onCleanup(() => app[Symbol.asyncDispose]())
    opened = app
    key = await opened.keyOf('owner')
    user = await opened.userOf('owner')
    return opened
  })
