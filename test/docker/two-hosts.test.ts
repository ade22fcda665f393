// A pool of two hosts on real engines, one reached by ssh and one by TLS, while cables, engines and scalers fail: no job is lost or runs twice, no worker is
// replaced too early, and nothing stays behind.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createDockerHost } from '@runyard/host-docker'
import type { WorkerRecord } from '@runyard/schema'
import { openFakeHub, type FakeHub } from '@runyard/testing'
import type { Store } from '@runyard/store'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createDeployedApp } from '../harness/deploy.ts'
import { startFastAlerts, type FastAlerts } from '../harness/fast-alerts.ts'
import { GVISOR } from '../harness/engine-programs.ts'
import { WORKER_IMAGE } from '../harness/worker-image.ts'
import { startStack, type Part, type Stack } from '../harness/stack.ts'
import { instanceId, openTestStore } from '../harness/store.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startTwoHosts, type SeparateHost, type TwoHosts } from '../harness/two-hosts.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, sourceCall, UNTIL, valueOf } from '../suites/calls.ts'

const PATIENCE = { timeoutMs: 120_000, intervalMs: 300 }
const GRACE_S = 25
const GATE = '/tmp/gate'
/** A function of SDK 2.0 that reads its model; the handle has what a worker uses of it. */
const READS_MODEL = `
import os, pathlib
def read_config():
    home = pathlib.Path(os.environ["HF_HUB_CACHE"], "models--meta--llama", "snapshots", os.environ["MODEL_REVISION"])
    return (home / "config.json").read_text()
class Spec:
    name = "read"
class Handle:
    def __init__(self, fn):
        self.spec, self._fn, self._init_fn = Spec(), fn, None
read = Handle(read_config)
`

const NOTE = `
def note(text=None):
    import os, pathlib
    path = pathlib.Path("/runpod-volume/note")
    if text:
        path.write_text(text)
    return {"note": path.read_text(), "worker": os.environ["RUNPOD_POD_ID"]}
`

/** What the kernel of a worker calls itself, and what it said first. */
const KERNEL = `
import subprocess
def kernel():
    said = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
    return {"name": open("/proc/version").read(), "log": said[:200]}
`

await suiteThatNeeds(
  ['redis', 'docker', 'worker-image', 'two-hosts', 'promtool', 'gvisor'],
  'a pool of two hosts, by ssh and by TLS',
  () => {
    let hosts: TwoHosts
    /** Stands for the NFS that the operator has mounted on both. */
    let shared: string
    let hub: FakeHub
    let stack: Stack
    let store: Store
    let prometheus: FastAlerts
    let both: readonly SeparateHost[]

    beforeAll(async () => {
      shared = await mkdtemp(join(tmpdir(), 'runyard-shared-'))
      hosts = await startTwoHosts({ byTls: { settings: GVISOR }, shared })
      hub = await openFakeHub()
      both = [hosts.bySsh, hosts.byTls]
      const quick = { RUNYARD_HOST_GRACE_S: `${GRACE_S}`, RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LEASE_DURATION_S: '10' }
      stack = await startStack({
        host: 'process',
        settings: { ...hosts.settings, ...quick, RUNYARD_LOG_LEVEL: 'info', RUNYARD_MODELS_HUB_URL: hub.url },
      })
      store = await openTestStore(stack.redis.url)
      prometheus = await startFastAlerts([new URL(stack.url).host])
      for (const host of both) {
        const hostId = await host.hostId()
        await waitFor(`${host.name} to be ready`, async () => (await sightOf(hostId))?.health === 'ready', PATIENCE)
      }
    }, 400_000)
    afterAll(async () => {
      await prometheus?.[Symbol.asyncDispose]()
      await store?.[Symbol.asyncDispose]()
      await stack?.stop()
      await hub?.[Symbol.asyncDispose]()
      await hosts?.stop()
      await rm(shared, { recursive: true, force: true })
    }, 200_000)
    /** Whatever a test has left: no endpoint, no cordon, all cables in; then no host has a container. */
    afterEach(async () => {
      for (const { id } of await stack.api.endpoints()) await stack.api.deleteEndpoint(id)
      for (const host of both) {
        await host.link('up')
        await cordon(host, false)
        await waitFor(`${host.name} to be empty`, async () => (await host.workers()).length === 0, PATIENCE)
      }
    }, 200_000)

    const sightOf = async (hostId: string) => (await store.hosts.list()).find((record) => record.hostId === hostId)?.sight
    const workers = (endpoint: string): Promise<readonly WorkerRecord[]> => store.workers.list(endpoint)
    const said = (part: Part, words: string) =>
      waitFor(`the scaler to say "${words}"`, () => part.child().output().includes(words), PATIENCE)
    const newEndpoint = (name: string, workersMax: number, image?: string) =>
      stack.api.saveEndpoint({ name, workersMax, idleTimeout: 600, ...(image === undefined ? {} : { image }) })
    const held = (endpoint: string, value: unknown) => stack.api.run(endpoint, sourceCall('until', UNTIL, { path: GATE, value }))
    const settled = (endpoint: string, id: string) => stack.api.settled(endpoint, id, PATIENCE.timeoutMs)

    /** Where the job runs now. */
    async function running(endpoint: string, id: string, not?: string): Promise<{ worker: string; host: SeparateHost }> {
      return waitFor(
        `job ${id} to run`,
        async () => {
          const job = await stack.api.status(endpoint, id)
          const worker = job['workerId']
          if (job.status !== 'IN_PROGRESS' || typeof worker !== 'string' || worker === not) return undefined
          const record = (await workers(endpoint)).find((candidate) => candidate.id === worker)
          for (const host of both) if ((await host.hostId()) === record?.hostId) return { worker, host }
          return undefined
        },
        PATIENCE,
      )
    }

    async function openGate({ worker, host }: { readonly worker: string; readonly host: SeparateHost }): Promise<void> {
      const name = (await host.workers()).find((line) => line.includes(worker))?.split(' ')[0] ?? ''
      await host.docker('exec', name, 'touch', GATE)
    }

    const other = (host: SeparateHost): SeparateHost => (host === hosts.bySsh ? hosts.byTls : hosts.bySsh)
    const cordon = async (host: SeparateHost, is: boolean) =>
      store.hosts.putCordon(await host.hostId(), is ? { since: Date.now(), reason: 'by the test' } : undefined)

    /** A job that runs on this host until its gate opens. */
    async function heldOn(host: SeparateHost, name: string) {
      await cordon(other(host), true)
      const endpoint = await newEndpoint(name, 1)
      const id = await held(endpoint, name)
      const at = await running(endpoint, id)
      expect(at.host).toBe(host)
      await cordon(other(host), false)
      return { endpoint, id, ...at }
    }

    /** A line each, without what changes while it is there. */
    const containersOn = async (...some: readonly SeparateHost[]): Promise<readonly string[]> => {
      const lists = await Promise.all(
        some.map((host) => host.docker('ps', '-a', '--format', '{{.ID}} {{.Image}} {{.Command}} {{.Labels}}')),
      )
      return lists.flatMap((lines) => lines.split('\n').filter(Boolean))
    }

    test('runs jobs on both', async () => {
      const endpoint = await newEndpoint('both', 2)
      const ids = [await held(endpoint, 0), await held(endpoint, 1)]
      const places = await Promise.all(ids.map((id) => running(endpoint, id)))
      expect(new Set(places.map(({ host }) => host))).toEqual(new Set(both))
      for (const place of places) await openGate(place)
      expect(await Promise.all(ids.map(async (id) => valueOf((await settled(endpoint, id))['output'])['value']))).toEqual([0, 1])
    })

    test('unpacks a deployed app and fetches its model once per host, and starts the next worker where the model is', async () => {
      hub.models.set('meta/llama', { commit: 'c'.repeat(40), files: { 'config.json': '{"a":1}' }, lfs: ['config.json'] })
      const resources = [{ kind: 'queue', name: 'read', module: 'main', qualname: 'read', model: 'meta/llama' }]
      const manifest = { version: 1, app: 'far', resources }
      const image = 'runpod/queue:py3.12-latest'
      const app = await createDeployedApp(stack, { name: 'far', image, manifest, manifestFile: 'runpod_manifest.json' })
      await app.deploy({ 'main.py': READS_MODEL })
      const ask = async (round: string) => {
        const endpoint = await app.save('read', { ROUND: round }, { modelReferences: ['meta/llama'] })
        expect(await settled(endpoint, await stack.api.run(endpoint, {}))).toMatchObject({ output: '{"a":1}' })
        // While it goes, the next release waits for its turn, and the worker of this one serves on (ADR 62).
        await waitFor('the worker of the last round to be gone', async () => (await workers(endpoint)).length === 1, PATIENCE)
      }
      const volumesWith = (host: SeparateHost, label: string) => host.docker('volume', 'ls', '-q', '-f', `label=${label}`)
      // Of equal hosts the first one gets the worker.
      await cordon(hosts.bySsh, true)
      await ask('by TLS')
      await cordon(hosts.bySsh, false)
      await ask('where the model is')
      expect(hub.requests.filter((line) => line.startsWith('GET /large'))).toHaveLength(1)
      expect([await volumesWith(hosts.bySsh, 'runyard.model'), await volumesWith(hosts.bySsh, 'runyard.app-build')]).toEqual(['', ''])
      await cordon(hosts.byTls, true)
      await ask('by ssh')
      expect(hub.requests.filter((line) => line.startsWith('GET /large'))).toHaveLength(2)
      for (const host of both) expect((await volumesWith(host, 'runyard.app-build')).trim().split('\n')).toHaveLength(1)
      await app.remove()
    })

    test('a worker of one host reads what one of the other wrote into a volume that both share', async () => {
      const volume = { name: 'notes', size: 10, dataCenter: 'EU-RO-1' }
      const { id } = (await stack.api.post('/v2/network-volumes', volume)).json as { id: string }
      const noted = async (host: SeparateHost, text?: string) => {
        await cordon(other(host), true)
        const endpoint = await stack.api.saveEndpoint({ name: `on-${host.name}`, volumes: [id] })
        const job = await settled(endpoint, await stack.api.run(endpoint, sourceCall('note', NOTE, { text })))
        const { note, worker } = valueOf(job['output'])
        const record = (await workers(endpoint)).find((one) => one.id === worker)
        expect(record?.hostId).toBe(await host.hostId())
        await cordon(other(host), false)
        await stack.api.deleteEndpoint(endpoint)
        return note
      }
      expect([await noted(hosts.bySsh, 'written on one'), await noted(hosts.byTls)]).toEqual(['written on one', 'written on one'])
      expect((await stack.api.request(`/v2/network-volumes/${id}`, { method: 'DELETE' })).status).toBe(204)
      await waitFor('the data to go', async () => (await readdir(shared)).length === 0, PATIENCE)
    })

    test('starts workers where their image is, while it is missing on the other host', async () => {
      const image = 'runyard-test/only-here:1'
      await hosts.byTls.docker('tag', WORKER_IMAGE, image)
      const endpoint = await stack.api.saveEndpoint({ name: 'only-here', image, args: 'sleep 600', idleTimeout: 600 })
      await stack.api.run(endpoint, {})
      const hostId = await hosts.byTls.hostId()
      const isStarted = async () =>
        (await workers(endpoint)).some((worker) => worker.hostId === hostId && worker.containerStartedAt !== undefined)
      await waitFor('a worker to start where its image is', isStarted, PATIENCE)
      expect(await hosts.bySsh.workers()).toEqual([])
      await stack.api.deleteEndpoint(endpoint)
      await waitFor('it to be gone', async () => (await hosts.byTls.workers()).length === 0, PATIENCE)
      await hosts.byTls.docker('rmi', image)
    })

    test.each(['bySsh', 'byTls'] as const)('a host that is cut off and healed within the grace keeps its job: %s', async (which) => {
      const host = hosts[which]
      const { endpoint, id, worker } = await heldOn(host, `cut-${which.toLowerCase()}`)
      const hostId = await host.hostId()
      await host.link('down')
      await waitFor('it to be unreachable', async () => (await sightOf(hostId))?.health === 'unreachable', PATIENCE)
      expect((await workers(endpoint)).map((record) => record.id)).toEqual([worker])
      await host.link('up')
      const healedAt = Date.now()
      await openGate({ worker, host })
      expect(valueOf((await settled(endpoint, id))['output'])).toMatchObject({ worker })
      await waitFor('it to be ready', async () => (await sightOf(hostId))?.health === 'ready', PATIENCE)
      console.log(`cable in → host ready: ${((Date.now() - healedAt) / 1000).toFixed(1)} s (${which})`)
      expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 0 })
    })

    test('a job whose worker still reports stays with it, however long its engine is away, and an alert fires', async () => {
      const { endpoint, id, worker, host } = await heldOn(hosts.byTls, 'reports')
      const hostId = await host.hostId()
      await host.silenceEngine(true)
      await waitFor('it to be unreachable', async () => (await sightOf(hostId))?.health === 'unreachable', PATIENCE)
      const over = Date.now() + (GRACE_S + 25) * 1000
      await prometheus.fires('RunyardHostUnreachable', { host: 'by-tls' })
      await waitFor(
        'the grace to be over',
        async () => {
          expect((await workers(endpoint)).map((record) => record.id)).toEqual([worker])
          return Date.now() > over
        },
        PATIENCE,
      )
      await openGate({ worker, host })
      expect(valueOf((await settled(endpoint, id))['output'])).toMatchObject({ worker })
      await host.silenceEngine(false)
      await waitFor('it to be ready', async () => (await sightOf(hostId))?.health === 'ready', PATIENCE)
      await prometheus.clear(['RunyardHostUnreachable'])
    })

    test('after the grace the jobs of a silent host run on the other, and what it still has is reaped when it is healed', async () => {
      const { endpoint, id, worker, host } = await heldOn(hosts.byTls, 'lost')
      await host.link('down')
      const next = await running(endpoint, id, worker)
      expect(next.host).toBe(hosts.bySsh)
      await host.link('up')
      await waitFor('the lost worker to be reaped', async () => (await host.workers()).length === 0, PATIENCE)
      await openGate(next)
      expect(valueOf((await settled(endpoint, id))['output'])).toMatchObject({ worker: next.worker })
      expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 1 })
    })

    test('an engine that is restarted in mid-job loses only the attempt', async () => {
      const { endpoint, id, worker, host } = await heldOn(hosts.bySsh, 'restarted')
      await host.stopEngine()
      await host.startEngine()
      const next = await running(endpoint, id, worker)
      await openGate(next)
      expect(valueOf((await settled(endpoint, id))['output'])).toMatchObject({ worker: next.worker })
      expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 1 })
    })

    /** Resolves when an engine has created a container of a worker. */
    async function containerCreated(): Promise<void> {
      const followers = both.map(({ socket }) =>
        spawn('docker', ['-H', `unix://${socket}`, 'events', '--filter', 'event=create', '--format', '{{.Actor.Attributes.name}}']),
      )
      await Promise.race(followers.map(({ stdout }) => once(createInterface(stdout), 'line')))
      for (const follower of followers) follower.kill()
    }

    /** Kills the scaler when it has created a container for a job. The start that follows takes milliseconds, and its record may be written already. */
    async function killOnCreate(name: string) {
      const endpoint = await newEndpoint(name, 1)
      const created = containerCreated()
      const id = await stack.api.run(endpoint, sourceCall('echo', ECHO, { value: 'between' }))
      await created
      await stack.scaler.kill()
      const [record] = await workers(endpoint)
      return { endpoint, id, record, isBetween: record !== undefined && record.containerStartedAt === undefined }
    }

    test('a scaler that is killed between creating a container and recording it leaves no orphan and no ssh', async () => {
      let killed = await killOnCreate('between-1')
      for (let attempt = 2; !killed.isBetween && attempt <= 5; attempt += 1) {
        await stack.scaler.start()
        await settled(killed.endpoint, killed.id)
        await stack.api.deleteEndpoint(killed.endpoint)
        await waitFor(
          'both hosts to be empty',
          async () => (await Promise.all(both.map((host) => host.workers()))).flat().length === 0,
          PATIENCE,
        )
        killed = await killOnCreate(`between-${attempt}`)
      }
      const { endpoint, id, record, isBetween } = killed
      expect(isBetween).toBe(true)
      await waitFor('its ssh to end', () => hosts.tunnels() === 0)
      await stack.scaler.start()
      expect(valueOf((await settled(endpoint, id))['output'])).toMatchObject({ value: 'between', worker: record?.id })
      expect((await Promise.all(both.map((host) => host.workers()))).flat()).toHaveLength(1)
    })

    test('a container whose record goes while no scaler runs is reaped', async () => {
      const { endpoint, worker, host } = await heldOn(hosts.bySsh, 'no-record')
      await stack.scaler.kill()
      expect((await workers(endpoint)).map((record) => record.id)).toEqual([worker])
      await store.workers.remove(endpoint, worker, undefined)
      await stack.scaler.start()
      await waitFor('the container to be reaped', async () => !(await host.workers()).some((line) => line.includes(worker)), PATIENCE)
    })

    test('an endpoint runs under gVisor where an engine has it, and another one does not', async () => {
      const [guarded, usual] = [await newEndpoint('guarded', 1), await newEndpoint('usual', 1)]
      await stack.scaler.kill()
      const scaler = stack.anotherScaler({ RUNYARD_RUNTIMES: JSON.stringify({ [guarded]: 'runsc' }) })
      await scaler.start()
      const ask = (endpoint: string) => stack.api.run(endpoint, sourceCall('kernel', KERNEL))
      const logOf = async (endpoint: string, id: string) => valueOf((await settled(endpoint, id))['output'])['log']

      await cordon(hosts.byTls, true)
      const id = await ask(guarded)
      const why = async () => (await stack.api.get(`/runyard/v1/explain/${guarded}`)).text
      const lacking = 'no host has the container runtime runsc, which the setting runtimes names: by-ssh'
      await waitFor('the reason why it waits', async () => (await why()).includes(lacking), PATIENCE)
      await cordon(hosts.byTls, false)
      expect(await logOf(guarded, id)).toContain('Starting gVisor')
      await cordon(hosts.bySsh, true)
      expect(await logOf(usual, await ask(usual))).not.toContain('gVisor')
      await cordon(hosts.bySsh, false)

      await stack.api.deleteEndpoint(guarded)
      await scaler.kill()
      await stack.scaler.start()
    })

    test('a second scaler takes over both hosts and the job', async () => {
      const { endpoint, id, worker, host } = await heldOn(hosts.byTls, 'taken-over')
      const second = stack.anotherScaler()
      await second.start()
      await said(second, 'stands by')
      await stack.scaler.kill()
      await said(second, 'this scaler leads')
      await openGate({ worker, host })
      expect(valueOf((await settled(endpoint, id))['output'])).toMatchObject({ worker })
      expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 0 })
      await second.kill()
      await stack.api.deleteEndpoint(endpoint)
      // Workers and prepared networks of both scalers that were killed, and what they were preparing the hosts with.
      const left = await containersOn(...both)
      await stack.scaler.start()
      const stillThere = async () => (await containersOn(...both)).filter((line) => left.includes(line))
      await expect.poll(stillThere, { timeout: PATIENCE.timeoutMs }).toEqual([])
    })

    test('leaves the network of workers, the agent and the cache of packages on each host, and nothing else', async () => {
      await stack.scaler.child().stop(90_000)
      await waitFor('ssh to end', () => hosts.tunnels() === 0)
      for (const host of both) {
        await expect.poll(() => containersOn(host), { timeout: PATIENCE.timeoutMs }).toEqual([])
        const names = async (...list: readonly string[]) => (await host.docker(...list)).trim().split('\n').toSorted()
        expect(await names('network', 'ls', '--format', '{{.Name}}')).toEqual(['host', 'none', 'runyard'])
        const volumes = await names('volume', 'ls', '-q')
        // A model that was fetched stays for the next worker.
        expect(volumes.filter((name) => !name.startsWith('runyard-model-'))).toEqual([
          expect.stringMatching(/^runyard-agent-/),
          expect.stringMatching(/^runyard-cache-/),
        ])
      }
    })

    test('leaves no container, network or volume on a host that is taken out', async () => {
      const instance = (await instanceId(stack.redis.url)) ?? ''
      for (const host of both) {
        await using driver = createDockerHost({ label: host.name, connection: { kind: 'unix', socket: host.socket }, instanceId: instance })
        await driver.removeAll()
        expect(await driver.clear?.()).toMatchObject({ kept: [] })
        expect(await containersOn(host)).toEqual([])
        expect(await host.docker('network', 'ls', '--format', '{{.Name}}', '--filter', 'type=custom')).toBe('')
        expect(await host.docker('volume', 'ls', '-q')).toBe('')
      }
      await stack.scaler.start()
    })
  },
)
