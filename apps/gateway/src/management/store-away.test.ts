import { startRedis } from '@runyard/testing'
import { expect, it } from 'vitest'
import { openTestApp } from '../testing/management-app.ts'

it('answers 503 with Retry-After in both dialects while Redis is away, and serves again afterwards', async () => {
  await using redis = await startRedis()
  await using opened = await openTestApp(redis.url)
  const headers = { authorization: `Bearer ${await opened.keyOf('owner')}` }
  const graphql = () =>
    opened.app.inject({ method: 'POST', url: '/graphql', headers, payload: { query: '{ myself { endpoints { id } } }' } })
  const rest = () => opened.app.inject({ method: 'GET', url: '/v2/serverless', headers })
  expect([(await graphql()).statusCode, (await rest()).statusCode]).toEqual([200, 200])

  await redis.kill()
  const [inGraphql, inRest] = [await graphql(), await rest()]
  expect([inGraphql.statusCode, inRest.statusCode]).toEqual([503, 503])
  expect([inGraphql.headers['retry-after'], inRest.headers['retry-after']]).toEqual([expect.anything(), expect.anything()])
  expect(inGraphql.json()).toMatchObject({ errors: [{ message: expect.stringContaining('Redis') }] })
  expect(inRest.json()).toMatchObject({ status: 503, detail: expect.stringContaining('Redis') })

  await redis.restart()
  await expect.poll(() => opened.store.isUp()).toBe(true)
  expect([(await graphql()).statusCode, (await rest()).statusCode]).toEqual([200, 200])
})
