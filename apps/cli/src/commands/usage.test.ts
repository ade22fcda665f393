import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { recorder } from '../testing/recorder.ts'
import { parseSince } from '../output/time.ts'
import { run } from './usage.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')

describe('parseSince', () => {
  it.each([
    ['90m', '2026-11-24T10:30:00Z'],
    ['24h', '2026-11-23T12:00:00Z'],
    ['7d', '2026-11-17T12:00:00Z'],
    ['2026-11-01', '2026-11-01T00:00:00Z'],
  ])('takes %s', (text, expected) => {
    expect(parseSince(text, NOW)).toBe(Date.parse(expected))
  })

  it.each(['yesterday', '7w', '2027-01-01', '', '99999999999d', '0001-01-01'])('rejects %j and says what is accepted', (text) => {
    expect(() => parseSince(text, NOW)).toThrow('--since takes a span such as 90m')
  })
})

describe('usage', () => {
  const sums = { seconds: 3, billableSeconds: 3, gpuSeconds: 0, cost: 0.25 }
  const line = { gpuType: null, state: 'running', ...sums }
  const answer = {
    from: '2026-01-05T00:00:00.000Z',
    to: '2026-11-24T00:00:00.000Z',
    by: ['endpoint', 'gpu', 'state'],
    currency: 'EUR',
    total: { ...sums, seconds: 9, billableSeconds: 9, cost: 0.75 },
    usage: [
      { ...line, endpointId: 'ep-1', endpointName: 'one' },
      { ...line, endpointId: 'ep-2', endpointName: 'two', isDeleted: true },
      { ...line, endpointId: null, endpointName: null },
    ],
  }

  it('names deleted endpoints as long as they have ids, adds everything up, and prints its range', async () => {
    const server = createServer((_request, response) => response.writeHead(200).end(JSON.stringify(answer))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const env = { RUNPOD_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, RUNPOD_API_KEY: 'k' }
    const out = recorder()
    try {
      expect(await run({ options: { since: '2026-01-05' }, positionals: [], env, cwd: '/', out, err: out })).toBe(0)
    } finally {
      server.close()
    }
    const text = out.text()
    expect(text).toContain('since 2026-01-05 00:00:00Z')
    expect(text).toMatch(/one +CPU +running +3 +3 +0 +0\.25/)
    expect(text).toMatch(/two \(deleted\) +CPU/)
    expect(text).toMatch(/deleted endpoints +CPU/)
    expect(text).toMatch(/total +9 +9 +0 +0\.75/)
  })

  it('refuses a word that nothing is grouped by', async () => {
    const out = recorder()
    const asked = run({ options: { by: 'endpoint,card' }, positionals: [], env: {}, cwd: '/', out, err: out })
    await expect(asked).rejects.toThrow('--by takes endpoint, key, host, gpu, state, day')
  })
})
