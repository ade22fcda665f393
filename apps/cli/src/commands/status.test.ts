// The read-only commands, on a stack of this machine and on a remote gateway that only the client variables name.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recorder } from '../testing/recorder.ts'
import { openDataDir } from '../stack/data-dir.ts'
import { retry } from './endpoints/write.ts'
import { run as env } from './env.ts'
import { run as status } from './status.ts'
import { run as usage } from './usage.ts'

const USAGE = { from: '2026-10-30T00:00:00.000Z', to: '2026-11-29T00:00:00.000Z', usage: [] }
const COUNTS = { idle: 0, initializing: 0, ready: 0, running: 1, throttled: 0, unhealthy: 0 }
const ANSWERS: Record<string, unknown> = {
  '/healthz': { ok: true, redis: 'up', version: '0.1.0' },
  '/runyard/v1/pool': { hosts: [], scalerAt: null },
  '/v2/serverless': { endpoints: [{ id: 'ep1', name: 'one' }] },
  '/v2/serverless/ep1/workers': { workers: [] },
  '/runyard/v1/endpoints/ep1/retry': { id: 'ep1', name: 'one', retriedAt: '2026-11-01T10:00:00.000Z' },
  '/v2/ep1/health': { jobs: { inQueue: 7, inProgress: 1, completed: 2, failed: 0, retried: 0 }, workers: COUNTS },
  '/runyard/v1/usage': USAGE,
  '/runyard/v1/notices': { notices: [] },
  '/runyard/v1/standby': { hosts: [{ host: 'here', waiting: 1, problem: 'the image is not there' }] },
}

let server: Server
let url: string
let dir: string
const keys: (string | undefined)[] = []
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runyard-cli-'))
  server = createServer((request, response) => {
    keys.push(request.headers.authorization)
    const path = (request.url ?? '').split('?')[0] ?? ''
    const isRefused = request.headers.authorization === 'Bearer rp_runs' && /^.runyard|workers$/.test(path)
    const answer = isRefused ? { error: 'the key lacks the scope `view`' } : ANSWERS[path]
    response.writeHead(isRefused ? 403 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(dir, { recursive: true })
})

async function call(command: typeof status, variables: NodeJS.ProcessEnv, options: Record<string, string | boolean> = {}): Promise<string> {
  const out = recorder()
  expect(await command({ options, positionals: [], env: { RUNYARD_DATA_DIR: dir, ...variables }, cwd: dir, out, err: out })).toBe(0)
  return out.text()
}

describe('status, usage and env', () => {
  const elsewhere = (): NodeJS.ProcessEnv => ({ RUNPOD_API_BASE_URL: `${url}/`, RUNPOD_API_KEY: 'rp_elsewhere' })

  it('use the gateway that the client variables name', async () => {
    keys.length = 0
    expect(await call(status, elsewhere())).toMatch(
      new RegExp(`^${url}\\nno cards · Redis up · version 0\\.1\\.0\\n.*\\n[^]*\\n *one +7 +1 +2 +0 +1 running`),
    )
    expect(await call(status, elsewhere())).toMatch(
      /here: no further standby worker can be started: the image is not there\n[^]*here: 1 standby worker\n/,
    )
    expect(JSON.parse(await call(status, elsewhere(), { json: true }))).toMatchObject({
      url,
      endpoints: [{ id: 'ep1', name: 'one' }],
      standby: [{ host: 'here', waiting: 1 }],
    })
    expect(await call(usage, elsewhere())).toContain('no worker has run')
    expect(JSON.parse(await call(usage, elsewhere(), { json: true }))).toEqual(USAGE)
    expect(new Set(keys)).toEqual(new Set(['Bearer rp_elsewhere']))
    const lines = await call(env, elsewhere())
    expect(lines).toContain(`export RUNPOD_ENDPOINT_BASE_URL=${url}/v2\n`)
    expect(lines).toContain('export RUNPOD_API_KEY=rp_elsewhere\n')
  })

  it('show what needs a person, such as a Redis that refuses writes, with exit code 3', async () => {
    const message = 'Redis refuses writes: the disk is full'
    ANSWERS['/runyard/v1/notices'] = { notices: [{ event: 'store_problem', subject: 'read_only', message, since: null }] }
    try {
      expect(await call(status, elsewhere())).toMatch(new RegExp(`2 problems[^]*read_only: ${message}`))
      const out = recorder()
      const options = { 'exit-code': true }
      expect(await status({ options, positionals: [], env: { RUNYARD_DATA_DIR: dir, ...elsewhere() }, cwd: dir, out, err: out })).toBe(3)
    } finally {
      ANSWERS['/runyard/v1/notices'] = { notices: [] }
    }
  })

  it('leave out what a key with the scope `run` may not see, and say so', async () => {
    const text = await call(status, { ...elsewhere(), RUNPOD_API_KEY: 'rp_runs' })
    expect(text).toMatch(/not shown, because the key lacks the scope `view`: cards, notices, workers, standby workers\n/)
    expect(text).toMatch(/ *one +7 +1/)
  })

  it('need no configuration file where the variables, or --data, name what is asked', async () => {
    const broken = join(dir, 'runyard.yaml')
    await writeFile(broken, 'lisen: { port: 1 }\n')
    try {
      expect(await call(status, elsewhere())).toContain('one')
      expect(await call(env, elsewhere())).toContain('export RUNPOD_API_KEY=rp_elsewhere\n')
      await expect(call(status, {}, { data: dir })).rejects.toThrow('no Runyard runs on')
      await expect(call(env, {})).rejects.toThrow('there is no setting "lisen"')
    } finally {
      await rm(broken)
    }
  })

  it('show when a failed start is retried, and how to retry it now', async () => {
    const message = 'the next try is due at 2026-11-01T10:00:00.000Z; the last one failed: no such host.'
    const before = ANSWERS['/v2/ep1/health'] as { workers: typeof COUNTS }
    ANSWERS['/v2/ep1/health'] = {
      ...before,
      workers: { ...COUNTS, running: 0, unhealthy: 1 },
      message,
      nextTryAt: '2026-11-01T10:00:00.000Z',
    }
    try {
      expect(await call(status, elsewhere())).toContain(
        '1 unhealthy  the next try is due at 2026-11-01 10:00:00Z; the last one failed: no such host; `runyard endpoints retry one` tries now',
      )
    } finally {
      ANSWERS['/v2/ep1/health'] = before
    }
    const out = recorder()
    expect(
      await retry({ options: {}, positionals: ['one'], env: { RUNYARD_DATA_DIR: dir, ...elsewhere() }, cwd: dir, out, err: out }),
    ).toBe(0)
    expect(out.text()).toContain('one (ep1): earlier failed starts are forgotten')
  })

  it('explain how to reach a stack if there is none', async () => {
    for (const command of [status, usage, env]) await expect(call(command, {})).rejects.toThrow('RUNPOD_API_BASE_URL')
    await expect(call(env, elsewhere(), { data: join(dir, 'other') })).rejects.toThrow(`no Runyard runs on ${join(dir, 'other')}`)
  })

  it('use the stack of this machine if it is named, and env always prefers it', async () => {
    await using stack = await openDataDir(dir)
    await stack.writeNote({ pid: 4711, url, startedAt: Date.now() })
    expect(await call(status, elsewhere(), { data: dir })).toMatch(/^http.*up for .*, process 4711\n/)
    expect(await call(usage, {})).toContain('no worker has run')
    expect(await call(env, elsewhere())).toContain(`export RUNPOD_API_KEY=${stack.key}\n`)
  })
})
