import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHostSource, type ConfiguredSource } from '@runyard/hosts'
import { createLogger, loadConfig } from '@runyard/kit'
import { Config, HostConfig, type HostConfig as Host } from '@runyard/schema'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { followHosts } from './follow-hosts.ts'

const PATIENT = { timeout: 20_000, interval: 20 }
const first = HostConfig.parse({ kind: 'process', id: 'first' })
let dir: string
let file: string
let lines: string[]
let source: ConfiguredSource
let following: Disposable

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runyard-follow-'))
  file = join(dir, 'runyard.yaml')
  lines = []
  await writeFile(file, 'hosts: [{ kind: process, id: first }]\n')
})

afterEach(async () => {
  following[Symbol.dispose]()
  await source[Symbol.asyncDispose]()
  await rm(dir, { recursive: true })
})

async function follow(env: Record<string, string> = {}): Promise<void> {
  const silent = createLogger({ name: 'follow-test', level: 'silent' })
  const note = (_facts: object, message: string): void => void lines.push(message)
  const log = Object.assign(Object.create(silent) as typeof silent, {
    info: note,
    error: (facts: { problem: string }) => void lines.push(facts.problem),
  })
  source = await openHostSource([first], { config: Config.parse({ dataDir: dir }), instanceId: 'i', env: {}, root: dir, log })
  const withoutHosts = async (): Promise<readonly Host[]> => [HostConfig.parse({ kind: 'process', id: 'default' })]
  following = await followHosts([first], { source, load: () => loadConfig({ env, cwd: dir }), withoutHosts, log, everyMs: 20 })
}
const labels = () => source.list().map(({ label }) => label)

it('takes up an edit: a host comes, one changes without a new driver, one goes', async () => {
  await follow()
  const [driver] = source.list()
  let changes = 0
  const listening = source.subscribe(() => (changes += 1))
  await writeFile(file, 'hosts: [{ kind: process, id: first, cordon: a fan fails }, { engine: unix:///nowhere.sock, id: second }]\n')
  await vi.waitFor(() => expect(labels()).toEqual(['first', 'second']), PATIENT)
  expect(source.list()[0]).toBe(driver)
  expect(driver && source.configOf(driver)).toMatchObject({ cordon: 'a fan fails' })
  expect(changes).toBe(1)
  listening[Symbol.dispose]()
  await writeFile(file, 'hosts: [{ engine: unix:///nowhere.sock, id: second }]\n')
  await vi.waitFor(() => expect(labels()).toEqual(['second']), PATIENT)
})

it('refuses a bad edit in one sentence, keeps its hosts, and takes up the next good one', async () => {
  await follow()
  await writeFile(file, 'hosts: [{ kind: process, id: first }, { kind: podman }]\n')
  await vi.waitFor(
    () => expect(lines).toEqual([expect.stringContaining('"hosts" is wrong (at 1.kind): kind is docker or process.')]),
    PATIENT,
  )
  expect(labels()).toEqual(['first'])
  await writeFile(file, 'hosts: [{ engine: tcp://box, tls: { ca: /nowhere, cert: /nowhere, key: /nowhere } }]\n')
  await vi.waitFor(() => expect(lines).toContain('The TLS file /nowhere of a host cannot be read.'), PATIENT)
  expect(labels()).toEqual(['first'])
  await rm(file)
  await vi.waitFor(() => expect(labels()).toEqual(['default']), PATIENT)
})

it('leaves the hosts alone where a variable sets them', async () => {
  await follow({ RUNYARD_HOSTS: 'process' })
  const untouched = source
  await follow()
  await writeFile(file, 'hosts: [{ kind: process, id: other }]\n')
  await vi.waitFor(() => expect(labels()).toEqual(['other']), PATIENT)
  expect(untouched.list().map(({ label }) => label)).toEqual(['first'])
  await untouched[Symbol.asyncDispose]()
})
