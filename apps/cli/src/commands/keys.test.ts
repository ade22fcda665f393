// The commands for API keys. Keys of the gateway here are fixed; test/process/endpoints.test.ts asks a real one. The key of the data directory is rotated in
// the Redis of that directory.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '@runyard/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommandLine } from '../command-line.ts'
import { openDataDir, type DataDir } from '../stack/data-dir.ts'
import { provideRedis } from '../stack/redis-binary.ts'
import { openRedis, type OwnRedis } from '../stack/redis.ts'
import { openFakeGateway, type FakeGateway } from '../testing/fake-gateway.ts'
import { recorder } from '../testing/recorder.ts'
import { parseExpiry } from './keys.ts'

const KEY = { ownerId: 'owner', scopes: ['admin'], limits: {}, createdAt: '2026-11-30T12:00:00.000Z', expiresAt: null, lastUsedAt: null }
const key = (id: string, name: string, more: object = {}) => ({ ...KEY, id, name, madeBy: null, ofFile: false, ...more })

let root: string
let dataDir: DataDir
let redis: OwnRedis
/** The store as a gateway opens it. */
let store: Store
let gateway: FakeGateway

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'runyard-keys-'))
  dataDir = await openDataDir(join(root, 'data'))
  const binary = await provideRedis({ env: process.env, say: () => {} })
  redis = await openRedis(
    { binary, dataDir: dataDir.path, logDir: dataDir.path, appendfsync: 'everysec', maxMemoryBytes: undefined },
    () => {},
  )
  store = await openStore({ redisUrl: redis.url, leaseMs: 1000, retention: { asyncMs: 1000, syncMs: 1000 } })
  await store.keys.install({ slot: 's', name: 'file', ownerId: 'owner', plain: dataDir.key })
  const file = key((await store.keys.list())[0]?.id ?? '', 'file', { ofFile: true })
  const keys = [file, key('aaaaaaaa-1', 'ci'), key('bbbbbbbb-1', 'twin'), key('cccccccc-1', 'twin', { ownerId: 'vision' })]
  gateway = await openFakeGateway({
    '/runyard/v1/keys/current': file,
    'GET /runyard/v1/keys': { keys },
    'POST /runyard/v1/keys': { ...key('d', 'new'), key: 'rpa_new' },
    'POST /runyard/v1/keys/cccccccc-1/rotate': { ...key('cccccccc-1', 'twin'), key: 'rpa_other' },
  })
  await dataDir.writeNote({ pid: process.pid, url: gateway.url, startedAt: 0, plane: { host: '127.0.0.1', port: 1 }, configFile: '/x' })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  await redis[Symbol.asyncDispose]()
  await dataDir[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

async function runyard(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [recorder(), recorder()]
  const code = await runCommandLine([...words, '--data', dataDir.path], { env: { PATH: process.env['PATH'] }, cwd: root, out, err })
  return { code, out: out.text(), err: err.text() }
}

describe('runyard keys', () => {
  it('asks for a key with what was named, an admin by default, and prints it alone on stdout', async () => {
    expect((await runyard('keys', 'create', '--name', 'new', '--queued', '5')).out).toBe('rpa_new\n')
    await runyard('keys', 'create', '--name', 'new', '--scope', 'view, metrics', '--owner', 'vision', '--expires', '2127-11-01')
    const bodies = gateway.requests.filter(({ method }) => method === 'POST').map(({ body }): unknown => JSON.parse(body))
    expect(bodies).toEqual([
      { name: 'new', scopes: ['admin'], limits: { queuedJobs: 5 } },
      { name: 'new', scopes: ['view', 'metrics'], ownerId: 'vision', expiresAt: '2127-11-01T00:00:00.000Z' },
    ])
  })

  it('takes a name that several keys have only with an id', async () => {
    const { code, err } = await runyard('keys', 'rotate', 'twin')
    expect([code, err]).toEqual([2, 'runyard: 2 keys are called "twin"; name one by its id: bbbbbbbb, cccccccc.\n'])
    expect((await runyard('keys', 'rotate', 'cccccccc')).out).toBe('rpa_other\n')
  })

  it('rotates the key of the data directory together with its file', async () => {
    const before = dataDir.key
    const { out } = await runyard('keys', 'rotate', 'file')
    expect(out).not.toBe(`${before}\n`)
    expect(await readFile(join(dataDir.path, 'key'), 'utf8')).toBe(out)
    expect((await runyard('key')).out).toBe(out)
    await expect.poll(() => store.keys.verify(before)).toBeUndefined()
    expect(await store.keys.verify(out.trim())).toMatchObject({ name: 'file' })
  })

  it.each([
    [['create'], 'a new key needs --name'],
    [['create', '--name', 'x', '--scope', 'run,root'], '"root" is none of them.'],
    [['create', '--name', 'x', '--expires', 'soon'], '--expires takes a span such as 24h or 90d'],
    [['revoke'], 'name one key; none was given.'],
    [['limit', 'ci'], 'name what is limited'],
    [['limit', 'ci', '--queued', '0'], '--queued takes a whole number from 1, or none; "0" is neither.'],
    [['limit', 'ci', '--workers', 'many'], '--workers takes a whole number from 1, or none; "many" is neither.'],
  ])('refuses %j in one sentence', async (words, sentence) => {
    const { code, err } = await runyard('keys', ...words)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })
})

describe('parseExpiry', () => {
  it('reads durations and dates, and rejects past times', () => {
    expect(parseExpiry('90d', 1000)).toBe(1000 + 90 * 86_400_000)
    expect(parseExpiry('1970-01-02', 1000)).toBe(86_400_000)
    for (const text of ['0d', '1970-01-01', '-1d', '9e9d', '']) expect(() => parseExpiry(text, 1000)).toThrow(/--expires takes/)
  })
})
