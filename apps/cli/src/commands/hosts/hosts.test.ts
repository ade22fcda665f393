// The commands for hosts, with a gateway of fixed hosts and a configuration file. test/docker/standby.test.ts asks a real one.
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { HostSight } from '@runyard/schema'
import type { HostView } from '@runyard/schema/api'
import { findFreePort } from '@runyard/testing/free-port'
import { prepareTls } from '@runyard/testing/remote-access'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCommandLine } from '../../command-line.ts'
import { openDataDir, type DataDir } from '../../stack/data-dir.ts'
import { openFakeGateway, type Answer, type FakeGateway } from '../../testing/fake-gateway.ts'
import { recorder } from '../../testing/recorder.ts'

let root: string
let file: string
let dataDir: DataDir
let gateway: FakeGateway
/** As the gateway answers; the commands change the first. */
let hosts: HostView[]
/** Whether the scaler follows the file. */
let isFollowed = true

const GPU = { uuid: 'GPU-1', name: 'NVIDIA L4', memoryBytes: 24 * 2 ** 30, simulated: false, healthy: true }
const sight = (label: string, change: Partial<HostSight> = {}): HostSight => ({
  health: 'ready',
  label,
  kind: 'process',
  at: Date.now(),
  inventoryAt: Date.now(),
  claims: {},
  inventory: {
    hostId: `id-${label}`,
    kind: 'process',
    capabilities: { runsImages: false, isolates: false, gpuChoice: 'uuid', remembersExits: false },
    cpuCount: 8,
    memoryBytes: 16 * 2 ** 30,
    gpus: [
      { ...GPU, reservedBytes: 2 ** 31 },
      { ...GPU, uuid: 'GPU-2', reserved: true, xid: { at: Date.UTC(2026, 0, 2, 3, 4, 5), xid: 31, message: 'x', workerIds: ['w7'] } },
      { ...GPU, uuid: 'GPU-3', healthy: false, fault: 'it fell off the bus' },
    ],
    cudaVersion: '12.8',
  },
  ...change,
})
const here = (): HostView => {
  const [first] = hosts
  if (first === undefined) throw new Error('there is no host')
  return first
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'runyard-hosts-'))
  file = join(root, 'runyard.yaml')
  dataDir = await openDataDir(join(root, 'data'))
  gateway = await openFakeGateway({
    'GET /runyard/v1/hosts': () => {
      if (isFollowed && !readFileSync(file, 'utf8').includes('id: here')) hosts = hosts.map((host) => ({ ...host, sight: null }))
      return { hosts }
    },
    'PUT /runyard/v1/hosts/id-here/cordon': ({ body }) =>
      (here().cordon = { since: Date.now(), ...(JSON.parse(body) as { reason: string; drain: boolean }) }),
    'DELETE /runyard/v1/hosts/id-here/cordon': () => {
      delete here().cordon
      return {}
    },
    'DELETE /runyard/v1/hosts/id-here': () => ({ hosts: (hosts = hosts.slice(1)) }),
    'POST /runyard/v1/hosts/id-here/gpus/GPU-3/release': { uuid: 'GPU-3', isListed: true },
    'POST /runyard/v1/hosts/id-here/gpus/GPU-9/release': { uuid: 'GPU-9', isListed: false },
  } satisfies Record<string, Answer | object>)
  const plane = { host: '127.0.0.1', port: 1 }
  await dataDir.writeNote({ pid: process.pid, url: gateway.url, startedAt: 0, plane, configFile: file })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await dataDir[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

beforeEach(async () => {
  await writeFile(
    file,
    'hosts:\n  # under the desk\n  - { kind: process, id: here, labels: { rack: b } }\n  - { engine: unix:///nowhere.sock, id: new }\n',
  )
  hosts = [{ id: 'id-here', sight: sight('here', { claims: { 'GPU-1': 'w1' } }), workers: [], cards: [] }]
})

async function runyard(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [recorder(), recorder()]
  const env = { PATH: process.env['PATH'] }
  const where = words[1] === 'add' ? join(root, 'other') : dataDir.path
  const code = await runCommandLine([...words, '--data', where], { env, cwd: root, out, err })
  return { code, out: out.text(), err: err.text() }
}
const place = () => (here().workers = [{ id: 'w1', endpointId: 'ep', gpus: 0 }])

/** An engine that only says who it is, under two addresses. */
async function engineOnTwoSockets() {
  const answers: Record<string, object> = {
    '/version': { Version: '29.0' },
    '/info': { ID: 'of-both', Name: 'box', NCPU: 1, MemTotal: 1 },
    '/containers/json': [],
  }
  /** With any label. */
  const volumes: { Name: string; Labels: Record<string, string> }[] = []
  const asked: string[] = []
  /** What it answers to removals, by path. */
  const refusals = new Map<string, readonly [number, string]>()
  const engine = createServer(({ method, url = '' }, response) => {
    asked.push(method === 'GET' ? url : `${method} ${url}`)
    if (method === 'DELETE') {
      const [status, message] = refusals.get(url) ?? [204, '']
      return response.writeHead(status).end(JSON.stringify({ message }))
    }
    const { pathname, searchParams } = new URL(url, 'http://engine')
    const { label = [] } = JSON.parse(searchParams.get('filters') ?? '{}') as { label?: string[] }
    const has = ({ Labels }: (typeof volumes)[number]) => label.every((each) => each.replace(/=.*/u, '') in Labels)
    return response.end(JSON.stringify(pathname === '/volumes' ? { Volumes: volumes.filter(has) } : (answers[pathname] ?? {})))
  })
  const directory = await mkdtemp(join(root, 'engine-'))
  const [one, other] = [join(directory, 'one.sock'), join(directory, 'other.sock')]
  await new Promise<void>((resolve) => engine.listen(one, resolve))
  await symlink(one, other)
  return { id: 'docker:of-both', one, other, asked, volumes, refusals, [Symbol.asyncDispose]: async () => void engine.close() }
}

describe('runyard hosts', () => {
  it('lists each host with its state, GPUs and workers', async () => {
    place()
    const away = sight('else', { health: 'unreachable', problem: 'the host does not answer' })
    hosts.push({ id: 'id-else', sight: away, workers: [], cards: [] })
    const { out } = await runyard('hosts', 'list')
    expect(out).toMatch(/^here +processes +ready +1 of 3 in use +1$/m)
    expect(out).toMatch(/^new +unix:\/\/\/nowhere\.sock +not seen yet +– +0$/m)
    expect(out).toMatch(/^else +not in the configuration +the host does not answer +0 of 3 in use +0$/m)
    const json = JSON.parse((await runyard('hosts', 'list', '--json')).out) as unknown
    expect(json).toMatchObject([{ name: 'here', hostId: 'id-here', state: 'ready', workers: ['w1'] }, { name: 'new' }, { name: 'else' }])
  })

  it('shows one host with what each GPU is doing', async () => {
    place()
    const { out } = await runyard('hosts', 'show', 'here')
    expect(out).toMatch(/^labels +rack=b$/m)
    expect(out).toMatch(/^size +8 CPUs, 16\.0 GiB$/m)
    expect(out).toMatch(/GPU-1 +NVIDIA L4 +22\.0 of 24 GiB +held by worker w1$/m)
    expect(out).toMatch(/GPU-2 +NVIDIA L4 +24 GiB +reserved, Xid 31 at 03:04:05 UTC \(worker w7\)$/m)
    expect(out).toMatch(/GPU-3 +NVIDIA L4 +24 GiB +it fell off the bus$/m)
    const sharers = { 'GPU-1': ['w1', 'w2'].map((workerId) => ({ workerId, bytes: 8 * 2 ** 30 })) }
    here().sight = sight('here', { claims: { 'GPU-1': 'w2' }, sharers })
    const words = (await runyard('hosts', 'show', 'here')).out.replaceAll(/\s+/g, ' ')
    expect(words).toContain('shared by worker w1 (8 GiB) and worker w2 (8 GiB), 6 GiB left')
    expect(await runyard('hosts', 'show', 'heree')).toMatchObject({
      code: 1,
      err: 'runyard: there is no host "heree"; did you mean "here"?\n',
    })
  })

  it('shows GPUs in quarantine, also those that are not listed any more, and releases them', async () => {
    const since = Date.now() - 120_000
    const common = { since, kind: 'quarantined', needsOperator: true } as const
    here().cards = [
      { uuid: 'GPU-3', claim: { ...common, quarantines: [1, 2, since], cause: 'lost', message: 'it fell off the bus', workerId: 'w1' } },
      { uuid: 'GPU-9', claim: { ...common, quarantines: [since], cause: 'replace', message: 'it is worn out', hostId: 'id-here' } },
    ]
    const { out } = await runyard('hosts', 'show', 'here')
    expect(out).toMatch(/GPU-3 +in quarantine for 2 min \d+ s, 3 times today +it fell off the bus +the operator releases it$/m)
    expect(out).toMatch(/GPU-9 +in quarantine for .*, once today +it is worn out +the operator releases it$/m)
    expect((await runyard('hosts', 'release', 'here', 'GPU-1')).err).toBe(
      'runyard: no GPU "GPU-1" of here is in quarantine; these are: GPU-3, GPU-9.\n',
    )
    expect((await runyard('hosts', 'release', 'here', 'GPU-')).err).toContain('part of the UUIDs of 2 GPUs')
    expect((await runyard('hosts', 'release', 'here', 'GPU-3')).out).toContain('GPU-3 is released from quarantine')
    expect((await runyard('hosts', 'release', 'here', '9')).out).toContain('its host does not list it')
  })

  it('cordons and uncordons a host by name', async () => {
    expect((await runyard('hosts', 'cordon', 'here', '--reason', 'a fan fails')).out).toBe('here is cordoned: it gets no new workers\n')
    expect(here().cordon).toMatchObject({ reason: 'a fan fails' })
    expect((await runyard('hosts', 'list')).out).toMatch(/^here +processes +cordoned \(a fan fails\) /m)
    expect((await runyard('hosts', 'uncordon', 'here')).out).toBe('here gets workers again\n')
    expect(here().cordon).toBeUndefined()
  })

  it('drains a host, and waits until it has no worker', async () => {
    place()
    const waiting = runyard('hosts', 'drain', 'here', '--wait')
    await expect.poll(() => here().cordon).toMatchObject({ drain: true, reason: 'by the operator' })
    expect((await runyard('hosts', 'list')).out).toMatch(/^here +processes +draining \(by the operator\) /m)
    here().workers = []
    expect((await waiting).out).toContain('here has no worker; `runyard hosts uncordon here` brings it back')
  })

  it('are restrained although the configuration has a mistake, which is said', async () => {
    await writeFile(file, 'hosts: [{ kind: podman }]\n')
    isFollowed = false
    const drained = await runyard('hosts', 'drain', 'here')
    isFollowed = true
    expect(drained).toMatchObject({ code: 0, out: expect.stringContaining('here is being drained') as string })
    expect(drained.err).toMatch(/kind is docker or process\. What follows is what the scaler sees\.\n$/)
    expect(here().cordon).toMatchObject({ drain: true })
    expect(await runyard('hosts', 'remove', 'here')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('kind is docker') as string,
    })
  })

  it('does not cordon what no scaler has seen', async () => {
    const { code, err } = await runyard('hosts', 'cordon', 'new')
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('write "cordon: true" under it') as string })
  })

  it('removes a host without workers, and refuses one with workers', async () => {
    place()
    expect(await runyard('hosts', 'remove', 'here')).toMatchObject({
      code: 1,
      err: 'runyard: 1 worker runs on here: `runyard hosts drain here --wait` lets them finish, --force ends them.\n',
    })
    here().workers = []
    expect((await runyard('hosts', 'remove', 'here')).out).toContain(`here is not in ${file} any more`)
    expect(await readFile(file, 'utf8')).toBe('hosts:\n  # under the desk\n  - { engine: unix:///nowhere.sock, id: new }\n')
    expect(hosts).toEqual([])
  })

  it('keeps a host that is removed cordoned until the scaler has let go of it', async () => {
    isFollowed = false
    const removing = runyard('hosts', 'remove', 'here')
    await expect.poll(() => readFile(file, 'utf8')).not.toContain('id: here')
    expect(here().cordon).toMatchObject({ reason: 'it is being removed' })
    isFollowed = true
    expect((await removing).code).toBe(0)
    expect(hosts).toEqual([])
  })

  it('writes TLS files with their whole paths, since the scaler may run elsewhere', async () => {
    await writeFile(file, 'hosts: []\n')
    const { ca, cert, key } = prepareTls(root, '127.0.0.1').client
    const files = ['--tls-ca', basename(ca), '--tls-cert', basename(cert), '--tls-key', basename(key)]
    await runyard('hosts', 'add', `tcp://127.0.0.1:${await findFreePort()}`, ...files, '--name', 'far', '--force')
    expect(await readFile(file, 'utf8')).toContain(`ca: ${ca}\n      cert: ${cert}\n      key: ${key}`)
    await rm(key)
    expect(await runyard('hosts', 'remove', 'far')).toMatchObject({
      code: 0,
      err: expect.stringContaining(`${key} of a host cannot be read`),
    })
  })

  it('adds a host after examining it, and says what it could not try', async () => {
    const added = await runyard('hosts', 'add', 'process', '--name', 'third', '--label', 'rack=c', '--workers', '4')
    expect(added).toMatchObject({ code: 1, err: 'runyard: process is a host already, under the name "here".\n' })
    await writeFile(file, 'hosts: []\n')
    const { code, out } = await runyard('hosts', 'add', 'process', '--name', 'third', '--label', 'rack=c', '--workers', '4')
    expect(code).toBe(0)
    expect(out).toMatch(/^✓ +engine +processes of this machine$/m)
    expect(out).toMatch(/^! +worker plane +not tried, because no Runyard runs/m)
    const text = await readFile(file, 'utf8')
    expect(text).toContain('labels:\n')
    expect(text).toContain('id: third')
  })

  it('writes nothing about a host that lacks something, and says how to mend it', async () => {
    const { code, out } = await runyard('hosts', 'add', 'unix:///nowhere/docker.sock', '--name', 'gone')
    expect(out).toMatch(/engine +failed/)
    expect(code).toBe(1)
    expect(out).toMatch(/^✗ +engine +No Docker engine answers on \/nowhere\/docker\.sock/m)
    expect(out).toContain('gone is not added: mend what is missing, or add it with --force')
    expect(await readFile(file, 'utf8')).not.toContain('gone')
  })

  it('writes nothing about an engine that is a host already under another address', async () => {
    await using engine = await engineOnTwoSockets()
    await writeFile(file, `hosts:\n  - { id: here, engine: 'unix://${engine.one}' }\n`)
    const { code, out } = await runyard('hosts', 'add', `unix://${engine.other}`, '--name', 'copy')
    expect(code).toBe(1)
    expect(out).toMatch(/^✗ +identity +it has the engine identity of here; [^\n]*engine-id/m)
    expect(await readFile(file, 'utf8')).not.toContain('copy')
  })

  it('says which of two names of an engine is not used, and removes it without ending the workers of the other', async () => {
    await using engine = await engineOnTwoSockets()
    const line = (id: string, socket: string): string => `  - { id: ${id}, engine: 'unix://${socket}' }\n`
    await writeFile(file, `hosts:\n${line('here', engine.one)}${line('copy', engine.other)}`)
    hosts = [{ id: engine.id, sight: sight('here', { kind: 'docker', twins: ['copy'] }), workers: [], cards: [] }]
    expect((await runyard('hosts', 'list')).out).toMatch(/^copy .* not used: it has the engine identity of here;/m)
    expect((await runyard('hosts', 'remove', 'copy')).code).toBe(0)
    expect(engine.asked).toContain('/info')
    expect(engine.asked.filter((path) => path.includes('containers'))).toEqual([])
    expect(await readFile(file, 'utf8')).toBe(`hosts:\n${line('here', engine.one)}`)
  })

  it('removes what an engine kept for later workers, and says what stays', async () => {
    await using engine = await engineOnTwoSockets()
    const removed = async () => {
      await writeFile(file, `hosts:\n  - { id: box, engine: 'unix://${engine.one}' }\n`)
      hosts = [{ id: engine.id, sight: sight('box', { kind: 'docker' }), workers: [], cards: [] }]
      const { out, err } = await runyard('hosts', 'remove', 'box')
      return out + err
    }
    engine.volumes.push({ Name: 'runyard-agent-1', Labels: { 'runyard.agent': '1' } }, { Name: 'data', Labels: { 'runyard.volume': 'v1' } })
    expect(await removed()).toBe(
      `box is not in ${file} any more; removed there: the agent, the network of workers; left there: images, 1 volume with data of endpoints\n`,
    )
    expect(engine.asked.filter((line) => line.startsWith('DELETE'))).toEqual([
      'DELETE /networks/runyard',
      'DELETE /volumes/runyard-agent-1',
    ])
    engine.refusals.set('/volumes/runyard-agent-1', [409, 'volume is in use'])
    expect(await removed()).toContain(
      'removed there: the network of workers; left there: images, the agent, which a container uses, 1 volume with',
    )
    engine.refusals.set('/networks/runyard', [403, 'network runyard has active endpoints'])
    expect(await removed()).toContain('more; left there: images, the agent and the network of workers, which a container uses, 1 volume')
    engine.refusals.set('/networks/runyard', [403, 'authorization denied'])
    expect(await removed()).toContain('could not be removed')
    engine.volumes.push({ Name: 'cache', Labels: { runyard: 'another' } })
    expect(await removed()).toContain('left there: images, the agent and the network of workers, which another installation uses, 1 volume')
  })

  it.each([
    [['add', 'tcp://10.0.0.7'], 'would be used without TLS'],
    [['add', 'box'], 'names no engine'],
    [['add', 'ssh://box', '--label', 'x'], '--label takes NAME=TEXT; "x" is none.'],
    [['add', 'ssh://box', '--workers', 'x'], '--workers takes a whole number from 0 to 100000; "x" is none.'],
    [['add'], 'takes one address of an engine, such as ssh://gpu-box; none was given.'],
    [['cordon', 'a', 'b'], 'name one host; 2 were given.'],
  ])('refuses %j in one sentence', async (words, sentence) => {
    const { code, err } = await runyard('hosts', ...words)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
    expect(err.trim()).not.toContain('\n')
  })

  it('does not edit the file while a variable sets the hosts', async () => {
    const [out, err] = [recorder(), recorder()]
    const env = { PATH: process.env['PATH'], RUNYARD_HOSTS: 'process' }
    const code = await runCommandLine(['hosts', 'add', 'ssh://box', '--data', dataDir.path], { env, cwd: root, out, err })
    expect({ code, err: err.text() }).toMatchObject({ code: 1, err: expect.stringContaining('RUNYARD_HOSTS sets the hosts') as string })
  })
})
