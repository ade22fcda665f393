// Every command, rendered from fixed data at the widths of terminals and without one. A new command fails here until it is captured.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { runCommandLine } from './command-line.ts'
import { COMMANDS } from './commands.ts'
import { widthOf } from './output/visible.ts'
import { openFakeGateway, type FakeGateway } from './testing/fake-gateway.ts'
import { recorder } from './testing/recorder.ts'
import { NOW } from './testing/small-lists.ts'
import { SMALL_POOL } from './testing/small-pool.ts'

const LISTS = [
  'status',
  'gpus',
  'job show 1fc9',
  'job show 2ab9',
  'explain 2ab9',
  'explain caption',
  'workers',
  'jobs',
  'jobs upscale --status waiting',
  'events',
  'events caption --about workers',
  'endpoints list',
  'endpoints show upscale',
  'releases caption',
  'registries list',
  'secrets list',
  'keys list',
  'hosts list',
  'hosts show gpu-box-1.machines.example.com',
  'volumes list',
  'volumes show weights',
  'webhooks log',
  'apps',
  'usage',
  'notices list',
  'config --changed',
]

/** What is no list. The data directory has a key, and a secret comes from standard input. */
const OTHERS = [
  'cancel 2ab9',
  'cancel --endpoint caption --status waiting --dry-run',
  'completion bash',
  'ca --data DIR',
  'config get listen.port',
  'config path',
  'endpoints create --name sd --image you/sd:1 --gpu ADA_24 --workers 0..2',
  'endpoints delete upscale',
  'endpoints delete upscale --yes',
  'endpoints retry upscale',
  'endpoints update upscale --workers 1..4',
  'env',
  'hosts cordon gpu-box-2 --reason repair',
  'hosts drain gpu-box-2',
  'hosts release gpu-box-1.machines.example.com 0002',
  'hosts remove gpu-box-2',
  'hosts uncordon gpu-box-2',
  'job show 9999',
  'key --data DIR',
  'keys create --name ci-of-the-vision-team --scope run,view',
  'keys limit ci --workers 3',
  'keys revoke ci',
  'keys rotate ci',
  'logs caption',
  'notices test',
  'open jobs',
  'purge upscale --dry-run',
  'purge upscale --yes',
  'registries add vision --username me',
  'registries delete a-registry-of-the-vision-team-with-a-long-name',
  'registries update a-registry-of-the-vision-team-with-a-long-name --username me',
  'retry 1fc9',
  'retry --endpoint caption --yes',
  'rollback upscale 2',
  'run upscale {"prompt":"a-red-barn"}',
  'run upscale --async',
  'secrets delete hf_token',
  'secrets set hf_token',
  'top',
  'use',
  'use --none',
  'volumes delete weights --yes',
  'webhooks redeliver upscale evt_1',
  'webhooks rotate',
  'webhooks secret',
]

/** They look at the machine or draw a screen of their own → the tests of what they show. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  demo: 'demo/timeline.test.ts',
  doctor: 'output/findings.test.ts',
  'hosts add': 'commands/hosts/hosts.test.ts',
  test: 'command-line.test.ts',
  top: 'commands/top.test.ts',
  up: 'output/live-status.test.ts',
}

const WIDTHS = [60, 80, 120, 200] as const
let gateway: FakeGateway
/** The data directory, and the home of contexts. */
let dir: string
beforeAll(async () => {
  gateway = await openFakeGateway(SMALL_POOL)
  dir = await mkdtemp(join(tmpdir(), 'runyard-captured-'))
  for (const name of ['runyard', 'tls']) await mkdir(join(dir, name))
  await writeFile(join(dir, 'key'), 'rp_key\n', { mode: 0o600 })
  // The variables take precedence, so no command may use or name it.
  const contexts = { lab: { url: 'https://gpu.example.com', key: 'rp_lab' }, bench: { data: '/srv/runyard-of-the-bench' } }
  await writeFile(join(dir, 'tls', 'ca.pem'), '')
  await writeFile(join(dir, 'runyard', 'contexts.json'), JSON.stringify({ contexts, current: 'lab' }), { mode: 0o600 })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})
beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

async function runyard(line: string, columns?: number) {
  const [out, err] = [recorder(columns), recorder(columns)]
  const target = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'rp_key' }
  const env = { ...target, ...SETTINGS, HOME: '/nowhere', XDG_CONFIG_HOME: dir }
  // An ambiguous word would be an error, so the long name is meant.
  const words = line.replace('caption', 'live-caption').replace('DIR', dir).split(' ')
  const code = await runCommandLine(words, { env, cwd: '/', out, err })
  const withoutPlaces = (text: string): string => text.replaceAll(gateway.url, 'http://here').replaceAll(dir, '/data')
  return { code, out: withoutPlaces(out.text()), err: withoutPlaces(err.text()) }
}

const SETTINGS = {
  RUNYARD_REDIS_URL: 'redis://redis.machines.example.com:6379/0',
  RUNYARD_LISTEN_PORT: '8888',
  RUNYARD_WEBHOOKS_ALLOW_PRIVATE: '10.0.0.0/8,192.168.0.0/16,fd12:3456:789a::/48',
}

describe.each(WIDTHS)('on a terminal of %i columns', (columns) => {
  it.each(LISTS)('`%s` fits', async (line) => {
    const { code, out, err } = await runyard(line, columns)
    expect({ code, err: err.replace(/^(?:live-caption-|[12][a-f0-9]{7}-).*\n$/u, '') }).toEqual({ code: 0, err: '' })
    // A fact of one long word (an image, a URL) stays whole, so that it can be copied.
    const isLongWord = (each: string): boolean => /^ {2}[a-z ]+ {2}\S+$/u.test(each)
    expect(out.split('\n').filter((each) => widthOf(each) > columns && !isLongWord(each))).toEqual([])
    expect(out).toMatchSnapshot()
  })
})

describe('without a terminal', () => {
  it.each(LISTS)('`%s` has everything in full', async (line) => {
    const { code, out, err } = await runyard(line)
    expect({ code, err: err.replace(/^(?:live-caption-|[12][a-f0-9]{7}-).*\n$/u, '') }).toEqual({ code: 0, err: '' })
    expect(out).not.toContain('…')
    expect(out).toMatchSnapshot()
  })
})

it.each(OTHERS)('`%s` says the same on every terminal, or fits it', async (line) => {
  const stdin = vi.spyOn(process, 'stdin', 'get')
  const seen = new Map<string, string[]>()
  for (const columns of [...WIDTHS, undefined]) {
    stdin.mockReturnValue(Readable.from([Buffer.from('s3cret\n')]) as typeof process.stdin)
    const { code, out, err } = await runyard(line, columns)
    const text = `exit code ${code}\n${out}${err.replaceAll(/^(?=.)/gmu, 'stderr: ')}`
    seen.set(text, [...(seen.get(text) ?? []), columns === undefined ? 'no terminal' : `${columns} columns`])
  }
  stdin.mockRestore()
  expect([...seen].map(([text, where]) => `— ${where.join(', ')} —\n${text}`).join('')).toMatchSnapshot()
})

it('`gpus` of a host that is none says so, as `hosts show` does', async () => {
  const missing = 'runyard: there is no host "nope"; `runyard hosts list` shows what there is.\n'
  expect(await runyard('gpus nope')).toEqual({ code: 1, out: '', err: missing })
  expect(await runyard('gpus loca')).toMatchObject({ code: 1, err: 'runyard: there is no host "loca"; did you mean "local"?\n' })
})

it('every command is among them, or has tests of its own', () => {
  const isIn = (lines: readonly string[], name: string): boolean => lines.some((line) => line === name || line.startsWith(`${name} `))
  const names = COMMANDS.map(({ name }) => name)
  expect(names.filter((name) => !isIn([...LISTS, ...OTHERS], name) && ELSEWHERE[name] === undefined)).toEqual([])
  expect(Object.entries(ELSEWHERE).filter(([name, file]) => !names.includes(name) || !existsSync(join(import.meta.dirname, file)))).toEqual(
    [],
  )
  const lists = COMMANDS.filter(({ isList }) => isList === true).map(({ name }) => name)
  expect(lists.filter((name) => !isIn(LISTS, name))).toEqual([])
})

// All settings: not as a snapshot, which every new one would change.
it.each(WIDTHS)('`config` fits %i columns', async (columns) => {
  const { code, out } = await runyard('config', columns)
  expect(code).toBe(0)
  expect(out.split('\n').filter((each) => widthOf(each) > columns)).toEqual([])
})

describe('the forms of output', () => {
  it('are tables, wide tables, JSON, JSON Lines, YAML and names', async () => {
    const json: unknown = JSON.parse((await runyard('workers --json')).out)
    expect(json).toHaveLength(3)
    expect(JSON.parse((await runyard('workers -o json', 60)).out)).toEqual(json)
    expect(parse((await runyard('workers -o yaml')).out)).toEqual(json)
    const lines = (await runyard('workers -o jsonl')).out.trim().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(json)
    expect((await runyard('endpoints list -o name')).out).toBe('live-caption-of-every-picture-in-the-archive\nupscale\n')
    expect((await runyard('jobs -o name')).out.split('\n')[0]).toMatch(/^2ab94455-.*-u1$/u)
    expect((await runyard('workers -o wide', 60)).out).toContain('stable-diffusion-worker:2026-11-30-cuda12')
    expect(await runyard('workers -o xml')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Allowed choices are') as string,
    })
  })

  it('of usage are its lines', async () => {
    const lines = (await runyard('usage -o jsonl')).out.trim().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { state: 'running' },
      { state: 'initializing' },
      { state: 'idle' },
    ])
    expect((await runyard('usage --time utc', 60)).out).toMatch(/^since 2026-10-31 12:00:00Z\n/u)
  })

  it('show times as an age, in UTC or as the clock says here', async () => {
    expect((await runyard('jobs', 120)).out).toContain('1 h ago')
    expect((await runyard('jobs --time utc', 120)).out).toContain('2026-11-30 10:58:20Z')
    expect((await runyard('jobs --time local', 120)).out).toMatch(/2026-11-\d\d \d\d:\d\d:20[+-]\d\d:\d\d/u)
    expect((await runyard('jobs')).out).toContain('2026-11-30 10:58:20Z')
  })
})

describe('an endpoint', () => {
  it('is found by the beginning or the end of its name, which is said', async () => {
    const { code, out, err } = await runyard('workers archive')
    expect({ code, err }).toEqual({ code: 0, err: 'live-caption-of-every-picture-in-the-archive (k2j4h5g6f7d8s9)\n' })
    expect(out).not.toContain('throttled-1')
    expect((await runyard('workers a1b2')).err).toBe('upscale (a1b2c3d4e5f6g7)\n')
    expect((await runyard('workers e')).err).toMatch(/^runyard: 2 endpoints match "e"; use an id: live-.*\n$/u)
    expect((await runyard('workers upscael')).err).toContain('did you mean "upscale"?')
  })
})

describe('status', () => {
  it('begins with what needs a person, and says it by its exit code', async () => {
    const { out } = await runyard('status')
    expect(out).toMatch(
      /^http:\/\/here\ncards: 1 held, 1 quarantined, 2 free · Redis up · version 0\.1\.0\n4 problems · 6 jobs run, 1 wait · 2 workers busy, 0 idle\n✗ upscale: no host has an NVIDIA L4/u,
    )
    expect(await runyard('status --exit-code')).toMatchObject({ code: 3 })
    const { problems } = JSON.parse((await runyard('status --json')).out) as { readonly problems: readonly object[] }
    expect(problems.slice(0, 2)).toMatchObject([{ what: 'upscale' }, { what: 'gpu-box-2' }])
  })
})

describe('logs', () => {
  it('are merged, with messages of JSON lines, and can be of a job, a text, or what was printed alone', async () => {
    const { out } = await runyard('logs caption')
    expect(out).toBe(
      '2026-11-30T11:58:30.000Z  ry-9f8e7d6c5b4a3210-001  start container\n' +
        '2026-11-30T11:58:40.000Z  ry-9f8e7d6c5b4a3210-001  INFO  the model is loaded\n' +
        '2026-11-30T11:58:50.000Z  ry-9f8e7d6c5b4a3210-001  ValueError: the picture has no pixels\n',
    )
    expect((await runyard('logs --job 1fc9')).out).toMatch(/^.*ValueError.*\n$/u)
    expect((await runyard('logs --grep loaded --raw')).out).toBe('{"level":"info","msg":"the model is loaded","seconds":3}\n')
    expect((await runyard('logs --source container -o jsonl')).out.trim().split('\n')).toHaveLength(2)
    expect(JSON.parse((await runyard('logs --json')).out)).toHaveLength(3)
    expect(await runyard('logs gone')).toMatchObject({ code: 1, err: 'runyard: there is no worker or endpoint "gone".\n' })
  })
})

describe('events', () => {
  it('are merged, and can be about jobs, since a time, or the latest', async () => {
    const { out } = await runyard('events')
    expect(out.indexOf('job settled')).toBeLessThan(out.indexOf('worker throttled'))
    expect((await runyard('events caption --about jobs')).out).not.toContain('worker placed')
    expect((await runyard('events --since 10m')).out).not.toContain('job settled')
    expect((await runyard('events --tail 1')).out).toContain('… and 5 older ones')
    expect((await runyard('events -o jsonl')).out.trim().split('\n')).toHaveLength(6)
    expect(await runyard('events --tail 2000')).toMatchObject({
      code: 2,
      err: 'runyard: --tail takes a whole number from 1 to 1000; "2000" is none.\n',
    })
  })

  it('that come while they are followed are printed once each', async () => {
    const path = '/v2/serverless/a1b2c3d4e5f6g7/events'
    const before = gateway.answers[path] as { events: readonly object[] }
    const [out, err] = [recorder(), recorder()]
    const env = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'rp_key', HOME: '/nowhere' }
    const following = runCommandLine(['events', 'upscale', '-f'], { env, cwd: '/', out, err })
    const late = { at: NOW, endpointId: 'a1b2c3d4e5f6g7', kind: 'worker_ready', workerId: 'w9' }
    try {
      await vi.waitFor(() => expect(out.text()).toContain('worker throttled'))
      gateway.answers[path] = { events: [...before.events, late, late] }
      await vi.waitFor(() => expect(out.text().match(/worker ready  w9\n/gu)).toHaveLength(2), { timeout: 10_000 })
      expect(out.text().match(/worker throttled/gu)).toHaveLength(1)
    } finally {
      process.emit('SIGHUP')
      expect(await following).toBe(0)
      gateway.answers[path] = before
    }
  })
})

describe('jobs', () => {
  it('can be of one status, since a time, or with an error', async () => {
    expect((await runyard('jobs --status failed')).out).toContain('ValueError: the picture has no pixels\n')
    expect((await runyard('jobs --status failed')).out).not.toContain('2ab94455')
    expect((await runyard('jobs --since 10m')).out).not.toContain('1fc94455')
    expect((await runyard('jobs --since 10m')).out).toContain('no host has an NVIDIA L4')
    const both = (await runyard('jobs --status waiting,failed')).out
    expect(both.indexOf('2ab94455')).toBeLessThan(both.indexOf('1fc94455'))
    for (const filter of ['--grep pixels', '--error pixels']) {
      expect((await runyard(`jobs ${filter}`)).out).toContain('ValueError')
      expect((await runyard(`jobs ${filter}`)).out).not.toContain('2ab94455')
    }
    expect((await runyard('jobs --worker no-such')).out).toContain('no jobs')
    expect((await runyard('jobs --until soon')).err).toContain('--until takes a span such as 90m')
    expect(await runyard('jobs --status lost')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--status takes waiting, ') as string,
    })
  })
})

describe('what changes something', () => {
  it('asks before a volume goes with its data, and does nothing without an answer', async () => {
    expect(await runyard('volumes delete weights')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('deletes the volume weights (w5e6i7g8h9t0s1) and all of its data on gpu-box-2; --yes does it') as string,
    })
    expect((await runyard('volumes delete weights --yes')).out).toBe(
      'weights (w5e6i7g8h9t0s1) is deleted; its data goes once no worker has it\n',
    )
    expect((await runyard('volumes show weigths')).err).toContain('there is no volume "weigths"; did you mean "weights"?')
  })

  it('says to which release an endpoint returns', async () => {
    expect((await runyard('rollback upscale 2')).out).toBe('upscale (a1b2c3d4e5f6g7) returns to release 2: vision:1\n')
    expect((await runyard('rollback upscale')).out).toContain('returns to the release before: vision:1\n')
    expect(await runyard('rollback upscale two')).toMatchObject({ code: 2, err: expect.stringContaining('named by its number') as string })
  })
})
