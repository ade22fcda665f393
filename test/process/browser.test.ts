// The unmodified `runpod-sdk` in a web page, whose browser checks the gateway's CORS headers (client-api §3, §11.3).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startSdkSite, type SdkSite, type SdkTarget } from '../harness/browser.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { COUNT, ECHO, NAP, sourceCall, valueOf } from '../suites/calls.ts'

const fast = { input: sourceCall('echo', ECHO, { value: 'hello' }) }
const slow = { input: sourceCall('nap', NAP, { seconds: 60 }) }

await suiteThatNeeds(['redis', 'browser'], 'runpod-sdk in a browser', () => {
  let site: SdkSite
  let stack: Stack
  let target: SdkTarget

  beforeAll(async () => {
    site = await startSdkSite()
    stack = await startStack({ host: 'process', settings: { RUNYARD_CORS_ORIGINS: site.origin } })
    const endpoint = await stack.api.saveEndpoint({ name: 'page', idleTimeout: 60 })
    target = { key: stack.key, baseUrl: `${stack.url}/v2`, endpoint }
  })
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]()
    await stack?.stop()
  })

  test('run, status, runSync, stream, cancel and health work in a page of an allowed origin', async () => {
    const page = await site.open(site.origin)
    const run = await page.call(target, 'run', fast)
    expect(run).toMatchObject({ id: expect.any(String), status: 'IN_QUEUE' })
    const done = await waitFor('the job to end', async () => {
      const status = await page.call(target, 'status', run['id'])
      return status['completed'] === true ? status : undefined
    })
    expect(done).toMatchObject({ status: 'COMPLETED', succeeded: true })
    expect(valueOf(done['output'])).toMatchObject({ value: 'hello' })
    expect(await page.call(target, 'runSync', fast, 60_000)).toMatchObject({ completed: true, succeeded: true, status: 'COMPLETED' })
    const counting = await page.call(target, 'run', { input: sourceCall('count', COUNT, { to: 3 }) })
    const { chunks } = await page.call(target, 'stream', counting['id'])
    expect((chunks as { output: unknown }[]).map(({ output }) => valueOf(output)['number'])).toEqual([0, 1, 2])
    const long = await page.call(target, 'run', slow)
    expect(await page.call(target, 'cancel', long['id'])).toMatchObject({ id: long['id'], status: 'CANCELLED' })
    expect(await page.call(target, 'health')).toMatchObject({ jobs: { completed: 3, inQueue: 0 }, workers: { throttled: 0 } })
    expect(page.console.join('\n')).not.toContain('CORS')
  })

  test('the page can read the reason of a rejection: a wrong key is a 401', async () => {
    const page = await site.open(site.origin)
    await expect(page.call({ ...target, key: 'ryk_wrong' }, 'health')).rejects.toThrow(/status code 401/)
  })

  test('the browser blocks a page of another origin, and no job is created', async () => {
    const before = (await stack.api.health(target.endpoint)).jobs
    const page = await site.open(site.otherOrigin)
    await expect(page.call(target, 'run', fast)).rejects.toThrow(/Failed to fetch/)
    await expect(page.call(target, 'health')).rejects.toThrow(/Failed to fetch/)
    expect(page.console.join('\n')).toContain(`from origin '${site.otherOrigin}' has been blocked by CORS policy`)
    expect((await stack.api.health(target.endpoint)).jobs).toEqual(before)
  })
})
