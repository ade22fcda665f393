import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recorder } from '../testing/recorder.ts'
import { openDataDir, type DataDir } from '../stack/data-dir.ts'
import { log, redeliver, rotate, secret } from './webhooks.ts'

const ATTEMPT = {
  eventId: 'evt_j_1',
  jobId: 'j',
  url: 'https://one.test/hook',
  attempt: 3,
  at: Date.parse('2026-11-24T12:00:00Z'),
  durationMs: 12,
  outcome: 'failed',
  httpStatus: 500,
  error: 'the receiver answered 500',
  nextAt: Date.parse('2026-11-24T12:05:00Z'),
}
const ANSWERS: Readonly<Record<string, unknown>> = {
  'GET /v2/serverless': {
    endpoints: [
      { id: 'ep1', name: 'one' },
      { id: 'ep2', name: 'two' },
    ],
  },
  'GET /v2/serverless/ep1/webhooks?limit=50': { attempts: [ATTEMPT], pending: { count: 1 } },
  'GET /v2/serverless/ep2/webhooks?limit=50': {
    attempts: [
      {
        ...ATTEMPT,
        eventId: 'evt_k_2',
        at: ATTEMPT.at + 1000,
        attempt: 1,
        outcome: 'delivered',
        httpStatus: 204,
        error: undefined,
        nextAt: undefined,
      },
    ],
    pending: { count: 0 },
  },
  'POST /v2/serverless/ep1/webhooks/evt_j_1/redeliver': undefined,
  'GET /runyard/v1/webhooks/secrets': { secrets: ['whsec_new', 'whsec_old'] },
  'POST /runyard/v1/webhooks/secrets/rotate': { secrets: ['whsec_newer', 'whsec_new'] },
}

let dataDir: DataDir
let server: Server
beforeEach(async () => {
  dataDir = await openDataDir(await mkdtemp(join(tmpdir(), 'runyard-cli-')))
  server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`
    const known = line in ANSWERS
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
    response.end(known ? JSON.stringify(ANSWERS[line]) : '{"detail":"not there"}')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  await dataDir.writeNote({ pid: process.pid, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, startedAt: 0 })
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await dataDir[Symbol.asyncDispose]()
  await rm(dataDir.path, { recursive: true })
})

async function webhooks(run: typeof log, positionals: readonly string[] = [], options: Record<string, boolean> = {}): Promise<string> {
  const out = recorder()
  expect(await run({ options: { data: dataDir.path, ...options }, positionals, env: {}, cwd: dataDir.path, out, err: out })).toBe(0)
  return out.text()
}

describe('runyard webhooks', () => {
  it('log shows the attempts of all endpoints, newest first, and how many events wait', async () => {
    const lines = (await webhooks(log)).split('\n')
    expect(lines[1]).toMatch(/^2026-11-24 12:00:01Z +two +evt_k_2 +1 +delivered +12 +https:\/\/one\.test\/hook +status 204$/)
    expect(lines[2]).toMatch(/^2026-11-24 12:00:00Z +one +evt_j_1 +3 +failed .* the receiver answered 500; again 2026-11-24 12:05:00Z$/)
    expect(lines.at(-2)).toBe('1 waiting to be delivered')
  })

  it('log shows the attempts of one endpoint by name, also as JSON', async () => {
    expect(await webhooks(log, ['one'])).not.toContain('evt_k_2')
    expect(JSON.parse(await webhooks(log, ['ep1'], { json: true }))).toEqual([
      { endpoint: 'one', attempts: [ATTEMPT], pending: { count: 1 } },
    ])
  })

  it('secret prints the secret, rotate prints a new one, redeliver requests another attempt', async () => {
    expect(await webhooks(secret)).toBe('whsec_new\n')
    expect(await webhooks(rotate)).toBe('whsec_newer\n')
    expect(await webhooks(redeliver, ['one', 'evt_j_1'])).toMatch(/^evt_j_1 of one is tried now;/)
    await expect(webhooks(redeliver, ['one', 'evt_other'])).rejects.toThrow('not there')
    await expect(webhooks(redeliver, ['one'])).rejects.toThrow('name an endpoint and an event of it')
  })
})
