// The commands for API keys, on a separate Redis in a data directory.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '@runyard/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommandLine } from '../command-line.ts'
import { recorder } from '../testing/recorder.ts'
import { openDataDir, type DataDir } from '../stack/data-dir.ts'
import { provideRedis } from '../stack/redis-binary.ts'
import { openRedis, type OwnRedis } from '../stack/redis.ts'
import { parseExpiry } from './keys.ts'

let root: string
let dataDir: DataDir
let redis: OwnRedis
/** The store as a gateway opens it. */
let store: Store

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
})
afterAll(async () => {
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
const create = async (...words: string[]): Promise<string> => (await runyard('keys', 'create', ...words)).out.trim()

describe('runyard keys', () => {
  it('prints a new key once, alone on stdout, and a gateway accepts it with its owner', async () => {
    const { code, out, err } = await runyard('keys', 'create', '--name', 'ci', '--owner', 'vision', '--expires', '90d')
    expect(code).toBe(0)
    expect(out).toMatch(/^rpa_[0-9A-Za-z]{32}\n$/)
    expect(err).toMatch(
      /^ci \([0-9a-f]{8}\) of owner vision is made, valid until \d{4}-\d\d-\d\d \d\d:\d\d UTC\. The key is shown this once:\n$/,
    )
    expect(await store.keys.verify(out.trim())).toMatchObject({ name: 'ci', ownerId: 'vision' })
    const listed = await runyard('keys', 'list')
    expect(listed.out).toMatch(/^[0-9a-f-]{8,} +vision +ci +admin +\d{4}.* +never +\d{4}/m)
    expect(listed.out + (await runyard('keys', 'list', '--json')).out).not.toContain(out.trim())
  })

  it('limits a key when it is made and later, and lists the limits', async () => {
    await create('--name', 'bounded', '--workers', '3')
    expect((await runyard('keys', 'list')).out).toMatch(/ bounded .* 3 workers$/m)
    const { out } = await runyard('keys', 'limit', 'bounded', '--workers', 'none', '--queued', '500')
    expect(out).toMatch(/ bounded .* no limit of workers, 500 queued jobs\n$/)
    const listed = await store.keys.list()
    expect(listed.find(({ name }) => name === 'bounded')?.limits).toEqual({ workers: null, queuedJobs: 500 })
    expect((await runyard('keys', 'list')).out).toMatch(/ ci .* default$/m)
  })

  it('gives a key the scopes that are named, and refuses others in one sentence', async () => {
    await create('--name', 'screen', '--scope', 'view, metrics')
    const listed = await store.keys.list()
    expect(listed.find(({ name }) => name === 'screen')?.scopes).toEqual(['view', 'metrics'])
    expect((await runyard('keys', 'list')).out).toMatch(/ screen +view,metrics +\d{4}/m)
    const { code, err } = await runyard('keys', 'create', '--name', 'x', '--scope', 'run,root')
    expect(code).toBe(2)
    expect(err).toContain('--scope takes admin, operate, run, view, metrics, several with commas; "root" is none of them.')
  })

  it.each([
    [['bounded'], 'name what is limited'],
    [['bounded', '--queued', '0'], '--queued takes a whole number from 1, or none; "0" is neither.'],
    [['bounded', '--workers', 'many'], '--workers takes a whole number from 1, or none; "many" is neither.'],
    [['nothing', '--workers', '1'], 'there is no key "nothing"'],
  ])('refuses the limit %j with one sentence', async (words, sentence) => {
    const { code, err } = await runyard('keys', 'limit', ...words)
    expect(code).not.toBe(0)
    expect(err).toContain(sentence)
  })

  it('revokes a key by name, and every gateway rejects it', async () => {
    const plain = await create('--name', 'gone')
    expect(await store.keys.verify(plain)).toBeDefined()
    expect((await runyard('keys', 'revoke', 'gone')).out).toMatch(/^gone \(.*\) is revoked\n$/)
    await expect.poll(() => store.keys.verify(plain)).toBeUndefined()
    expect(await runyard('keys', 'revoke', 'gone')).toMatchObject({
      code: 1,
      err: 'runyard: there is no key "gone"; `runyard keys list` shows what there is.\n',
    })
  })

  it('refuses a name that the owner has, and requires an id if several keys have it', async () => {
    await create('--name', 'twin')
    const again = await runyard('keys', 'create', '--name', 'twin')
    expect(again).toMatchObject({
      code: 1,
      err: expect.stringMatching(/There is an API key "twin" already \([0-9a-f-]+\): choose another name/u),
    })
    // Of an earlier release, or of another owner.
    await create('--name', 'twin', '--owner', 'vision')
    const { code, err } = await runyard('keys', 'rotate', 'twin')
    expect(code).toBe(2)
    const id = /by its id: ([0-9a-f]{8}), [0-9a-f]{8}\./.exec(err)?.[1] ?? ''
    expect((await runyard('keys', 'rotate', id)).out).toMatch(/^rpa_/)
  })

  it('rotates the key of the data directory together with its file, and refuses to revoke it', async () => {
    const before = dataDir.key
    expect((await runyard('keys', 'revoke', 'file')).err).toContain('`runyard keys rotate` replaces it')
    const { out } = await runyard('keys', 'rotate', 'file')
    expect(out).not.toBe(`${before}\n`)
    expect(await readFile(join(dataDir.path, 'key'), 'utf8')).toBe(out)
    expect((await runyard('key')).out).toBe(out)
    await expect.poll(() => store.keys.verify(before)).toBeUndefined()
    expect(await store.keys.verify(out.trim())).toMatchObject({ name: 'file' })
  })

  it.each([
    [['create'], 'a new key needs --name'],
    [['create', '--name', 'a\nb'], '--name takes up to 100 visible characters.'],
    [['create', '--name', 'x', '--owner', 'a b'], '--owner takes up to 64 letters'],
    [['create', '--name', 'x', '--expires', 'soon'], '--expires takes a span such as 24h or 90d'],
    [['revoke'], 'name one key; none was given.'],
  ])('refuses %j in one sentence', async (words, sentence) => {
    const { code, err } = await runyard('keys', ...words)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })

  it('says where keys are stored when no stack runs on the directory', async () => {
    const [out, err] = [recorder(), recorder()]
    const words = ['keys', 'list', '--data', join(root, 'other')]
    expect(await runCommandLine(words, { env: { HOME: root }, cwd: root, out, err })).toBe(1)
    expect(err.text()).toContain(`no Runyard runs on ${join(root, 'other')}, and keys are in its Redis`)
  })
})

describe('parseExpiry', () => {
  it('reads durations and dates, and rejects past times', () => {
    expect(parseExpiry('90d', 1000)).toBe(1000 + 90 * 86_400_000)
    expect(parseExpiry('1970-01-02', 1000)).toBe(86_400_000)
    for (const text of ['0d', '1970-01-01', '-1d', '9e9d', '']) expect(() => parseExpiry(text, 1000)).toThrow(/--expires takes/)
  })
})
