// The foreground command as a user runs it: real Redis, gateway and scaler on the process host. Needs the bundles (`pnpm build`).
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient, type Client } from '@runyard/client'
import { dieWithUs } from '@runyard/testing/die-with-us'
import { findFreePort } from '@runyard/testing/free-port'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleOf, CLI_ROOT } from '../locations.ts'
import { readRunning, socketPath } from '../stack/data-dir.ts'

const built = (['agent', 'gateway', 'scaler'] as const).every((app) => existsSync(bundleOf(app)))
const MAIN = join(CLI_ROOT, 'src', 'main.ts')
let root: string
let data: string
const running: ChildProcess[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'runyard-up-'))
  data = join(root, 'data')
})
afterEach(async () => {
  for (const child of running.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await rm(root, { recursive: true, force: true })
})

const env = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  HOME: root,
  RUNYARD_HOSTS: 'process',
})

interface Up {
  readonly child: ChildProcess
  readonly client: Client
  readonly output: () => string
  readonly ended: Promise<number | null>
}

/** Starts `up` and waits until it is ready. */
async function up(dataDir = data, more: NodeJS.ProcessEnv = {}): Promise<Up> {
  const port = await findFreePort()
  const words = [MAIN, 'up', '--port', `${port}`, '--data', dataDir]
  const child = spawn(...dieWithUs(process.execPath, words, 'TERM'), { cwd: root, env: { ...env(), ...more } })
  running.push(child)
  let text = ''
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString()
  })
  child.stderr.on('data', (part: Buffer) => {
    text += part.toString()
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const note = await until(async () => (child.exitCode === null ? readRunning(dataDir) : Promise.reject(new Error(text))))
  return { child, client: createClient(note), output: () => text, ended }
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

function runyard(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...words], { cwd: root, env: env() }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

const save = (client: Client): Promise<unknown> => client.graphql(SAVE, { input: GRAPHQL_ENDPOINT })
/** Of an endpoint that gets no worker. */
async function saveWaiting(client: Client): Promise<string> {
  const input = { ...GRAPHQL_ENDPOINT, name: 'waits', workersMax: 0, template: { ...GRAPHQL_ENDPOINT.template, name: 'waits' } }
  return (await client.graphql<{ saveEndpoint: { id: string } }>(SAVE, { input })).saveEndpoint.id
}

const SAVE = 'mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { id } }'
const GRAPHQL_ENDPOINT = {
  name: 'kept',
  instanceIds: ['cpu3c-1-2'],
  workersMin: 0,
  workersMax: 1,
  idleTimeout: 5,
  networkVolumeIds: [],
  template: { name: 'kept', imageName: 'runpod/queue:py3.12-latest', containerDiskInGb: 10, dockerArgs: '', env: [] },
}

describe.skipIf(!built)('runyard up, once the bundles are built', () => {
  it('serves, can be found from other shells, and keeps its state over a restart from a copy of its directory', async () => {
    const first = await up()
    await save(first.client)
    const exported = await runyard('env', '--data', data)
    const key = (await readFile(join(data, 'key'), 'utf8')).trim()
    expect(exported).toMatchObject({ code: 0, stderr: '' })
    expect(exported.stdout).toContain(`export RUNPOD_API_KEY=${key}\n`)
    expect((await runyard('status', '--data', data)).stdout).toMatch(/^kept +0 +0 +0 +0 +none\b/m)
    expect((await runyard('usage', '--data', data)).stdout).toContain('no worker has run')

    const [, link = '', code = ''] = /open +(http:\S+\/#c=([0-9A-Z-]{14})) /.exec(first.output()) ?? []
    const headers = { 'sec-fetch-site': 'same-origin', 'x-runyard': '1' }
    const session = `${new URL(link).origin}/runyard/v1/session`
    expect((await fetch(session, { method: 'POST', headers, body: JSON.stringify({ code }) })).status).toBe(204)
    expect((await runyard('open', 'jobs', '--data', data)).stdout).toMatch(/^http:\S+\/jobs#c=[0-9A-Z-]{14}\n$/)

    const second = await runyard('up', '--data', data)
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`The data directory ${data} is in use by a running Runyard`)

    const job = await first.client.jobs.run(await saveWaiting(first.client), { input: { prompt: 'x' } })

    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)
    expect(first.output()).toContain('stopped')
    expect((await runyard('env', '--data', data)).code).toBe(1)

    const copy = join(root, 'copy')
    await promisify(execFile)('cp', ['-a', data, copy])
    const again = await up(copy)
    const endpoints = await again.client.listEndpoints()
    expect(endpoints.map(({ name }) => name).toSorted()).toEqual(['kept', 'waits'])
    const { id = '' } = endpoints.find(({ name }) => name === 'waits') ?? {}
    expect(await again.client.jobs.status(id, job.id)).toMatchObject({ status: 'IN_QUEUE' })
    expect((await readFile(join(copy, 'key'), 'utf8')).trim()).toBe(key)
    again.child.kill('SIGTERM')
    expect(await again.ended).toBe(0)
  }, 240_000)

  it('rejects a port in use with one sentence, and leaves nothing running', async () => {
    const holder = await up()
    const { url } = await until(() => readRunning(data))
    const { code, stderr } = await runyard('up', '--data', join(root, 'other'), '--port', new URL(url).port)
    expect(code).toBe(1)
    expect(stderr).toBe(`runyard: Port ${new URL(url).port} on 127.0.0.1 is taken by another program; choose another with --port N.\n`)
    expect(await readRunning(join(root, 'other'))).toBeUndefined()
    holder.child.kill('SIGINT')
    expect(await holder.ended).toBe(0)
  }, 240_000)

  it('ends with one sentence when its Redis gets data of a newer version', async () => {
    const stack = await up()
    const redis = connect(socketPath(join(data, 'redis'), 'redis.sock')).on('error', () => {})
    redis.write('SET runyard:{@}:data-version 99\r\n')
    expect(await stack.ended).toBe(1)
    redis.destroy()
    expect(stack.output()).toContain('runyard: The data in Redis has version 99')
    expect(stack.output()).not.toContain('is started again')
  }, 240_000)

  it('on the Redis of another stack reports its scaler as standby, and destroys nothing, even when it stops', async () => {
    const first = await up()
    await first.client.graphql(SAVE, { input: { ...GRAPHQL_ENDPOINT, workersMin: 1 } })
    const workers = () => readdir(join(data, 'hosts', 'local')).catch(() => [])
    const [worker] = await until(async () => ((await workers()).length === 1 ? workers() : undefined))
    const second = await up(join(root, 'other'), { RUNYARD_REDIS_URL: socketPath(join(data, 'redis'), 'redis.sock') })
    expect(first.output()).toMatch(/scaler +it starts and stops the workers/)
    expect(second.output()).toMatch(/scaler +it stands by, since the one of process \d+ on .* leads; it takes over when that one ends/)
    second.child.kill('SIGINT')
    expect(await second.ended).toBe(0)
    expect(await workers()).toEqual([worker])
    first.child.kill('SIGINT')
    expect(await first.ended).toBe(0)
    expect(await workers()).toEqual([])
  }, 240_000)

  it.each([[['SIGINT']], [['SIGINT', 'SIGTERM']]] as const)(
    'ends what has begun to start on %j, while Redis does not answer',
    async (signals) => {
      const peers = new Set<Socket>()
      const silent = createServer((peer) => {
        peers.add(peer)
        peer.resume().on('error', () => {})
        peer.once('close', () => peers.delete(peer))
      }).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      try {
        const redis = `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`
        const words = [MAIN, 'up', '--port', '0', '--data', data]
        const options = { cwd: root, env: { ...env(), RUNYARD_REDIS_URL: redis }, stdio: 'ignore' } as const
        const child = spawn(...dieWithUs(process.execPath, words, 'TERM'), options)
        running.push(child)
        const ended = once(child, 'close')
        await until(async () => (peers.size >= 2 ? true : undefined))
        for (const signal of signals) child.kill(signal)
        expect(await ended).toEqual([130, null])
        await until(async () => (peers.size === 0 ? true : undefined))
      } finally {
        silent.close()
        for (const peer of peers) peer.destroy()
      }
    },
    60_000,
  )

  it('stops at once on a second signal', async () => {
    const { child, ended, output } = await up()
    child.kill('SIGINT')
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(output()).toMatch(/stopped/)
  }, 240_000)
})
