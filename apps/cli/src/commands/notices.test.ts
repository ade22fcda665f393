import { expect, it } from 'vitest'
import { openFakeGateway } from '../testing/fake-gateway.ts'
import { recorder } from '../testing/recorder.ts'
import { list, test } from './notices.ts'

async function answer(run: typeof list, answers: Record<string, unknown>): Promise<{ code: number; text: string }> {
  await using gateway = await openFakeGateway(answers)
  const out = recorder()
  const env = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'k' }
  const code = await run({ options: { time: 'utc' }, positionals: [], env, cwd: '/', out, err: out })
  return { code, text: out.text() }
}

it('lists what needs a person, with the sentence why', async () => {
  const notice = { event: 'host_lost', subject: 'box', message: 'box does not answer', since: '2026-11-24T12:00:00.000Z' }
  const { code, text } = await answer(list, { '/runyard/v1/notices': { notices: [notice] } })
  expect(code).toBe(0)
  expect(text).toMatch(/host_lost +box +2026-11-24 12:00.* box does not answer/)
  expect((await answer(list, { '/runyard/v1/notices': { notices: [] } })).text).toBe('nothing needs you\n')
})

it('says what each receiver of a test answered, and fails where one got nothing', async () => {
  const url = 'https://example.com'
  const receivers = [
    { url, isDelivered: true, message: 'the receiver answered 200' },
    { url, isDelivered: false, message: 'no answer in time' },
  ]
  const { code, text } = await answer(test, { 'POST /runyard/v1/notices/test': { receivers } })
  expect(code).toBe(1)
  expect(text).toBe(`✓ ${url}  the receiver answered 200\n✗ ${url}  no answer in time\n`)
  expect(await answer(test, { 'POST /runyard/v1/notices/test': { receivers: [] } })).toMatchObject({ code: 0 })
})
