// Cards of a Docker engine that fail while jobs run on them, over the whole stack (ADR 57), and workers that share one (ADR 61). A stand-in for nvidia-smi
// walks through reports; a stand-in for NVIDIA's hook lets the engine attach cards that are not there, and on an engine with nothing but CDI a specification.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { standInSmi, type StandInSmi } from '@runyard/testing/nvidia-smi'
import type { Store } from '@runyard/store'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { runCli } from '../harness/cli.ts'
import { NEWER_DOCKERD } from '../harness/engine-programs.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { openTestStore } from '../harness/store.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startTwoHosts, type SeparateHost, type TwoHosts } from '../harness/two-hosts.ts'
import { waitFor } from '../harness/wait.ts'
import { sourceCall, UNTIL, valueOf } from '../suites/calls.ts'

const PATIENCE = { timeoutMs: 120_000, intervalMs: 300 }
const GATE = '/tmp/gate'
const fixtureOf = (name: string) => readFile(new URL(`../../packages/nvidia-smi-parser/fixtures/${name}`, import.meta.url), 'utf8')
const RECORDED = await fixtureOf('two-geforce-550.xml')
const MIG = await fixtureOf('mig-a100-535.xml')
const [BLOCK = '', ...OTHERS] = RECORDED.match(/<gpu id=[\s\S]*?<\/gpu>/g) ?? []
const uuidOf = (n: number): string => `GPU-00000000-0000-0000-0000-00000000000${n}`
/** Without processes of the machine on which it was recorded. */
const blockOf = (n: number): string =>
  BLOCK.replace(/<uuid>[^<]*/, `<uuid>${uuidOf(n)}`)
    .replace(/<gpu id="[^"]*"/, `<gpu id="00000000:0${n}:00.0"`)
    .replace(/<processes>[\s\S]*?<\/processes>/, '<processes></processes>')
const reportOf = (blocks: readonly string[]): string =>
  OTHERS.reduce((xml, other) => xml.replace(other, ''), RECORDED)
    .replace(BLOCK, blocks.join('\n'))
    .replace(/<attached_gpus>\d+/, '<attached_gpus>8')
const BLOCKS = [0, 1, 2, 3, 4, 5, 6, 7].map(blockOf)
const EIGHT = reportOf(BLOCKS)
const RESET = '<gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status>'
const changed = (uuid: string, change: (block: string) => string): string =>
  reportOf(BLOCKS.map((block) => (block.includes(uuid) ? change(block) : block)))

/** What its devices stand in for is /dev/null. `programs`: what `all` of them bring along. Like one of `nvidia-ctk cdi generate`. */
function cdiSpecification(uuids: readonly string[], programs: string): object {
  const node = (n: number) => ({ path: `/dev/nvidia${n}`, hostPath: '/dev/null' })
  const named = uuids.flatMap((uuid, n) => [uuid, `${n}`].map((name) => ({ name, containerEdits: { deviceNodes: [node(n)] } })))
  const mounts = [{ hostPath: programs, containerPath: programs, options: ['ro', 'bind'] }]
  const all = { deviceNodes: uuids.map((_, n) => node(n)), env: [`PATH=${programs}:/usr/bin:/bin`], mounts }
  const containerEdits = { env: ['NVIDIA_VISIBLE_DEVICES=void'] }
  return { cdiVersion: '0.5.0', kind: 'nvidia.com/gpu', devices: [...named, { name: 'all', containerEdits: all }], containerEdits }
}

const DEVICES = `
def devices():
    import os
    return {"value": sorted(name for name in os.listdir("/dev") if name.startswith("nvidia"))}
`

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'two-hosts', 'newer-dockerd'], 'cards of a Docker engine', () => {
  let directory: string
  let hosts: TwoHosts
  let host: SeparateHost
  let smi: StandInSmi
  let stack: Stack
  let store: Store

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'runyard-cdi-'))
    const settings = { features: { cdi: true }, 'cdi-spec-dirs': [directory] }
    hosts = await startTwoHosts({ byTls: { program: NEWER_DOCKERD, settings, withoutHook: true } })
    host = hosts.bySsh
    smi = await standInSmi(EIGHT)
    const PATH = `${smi.directory}:${process.env['PATH'] ?? ''}`
    const RUNYARD_HOSTS = JSON.stringify([{ id: 'cards', engine: `unix://${host.socket}` }])
    stack = await startStack({ host: 'process', settings: { ...hosts.settings, RUNYARD_HOSTS, PATH } })
    store = await openTestStore(stack.redis.url)
  }, 400_000)
  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await stack?.stop()
    await smi?.[Symbol.asyncDispose]()
    await hosts?.stop()
    await rm(directory, { recursive: true })
  }, 200_000)
  afterEach(async () => {
    for (const { id } of await stack.api.endpoints()) await stack.api.deleteEndpoint(id)
    await waitFor('the host to be empty', async () => (await host.workers()).length === 0, PATIENCE)
  }, 200_000)

  const held = (endpoint: string) => stack.api.run(endpoint, sourceCall('until', UNTIL, { path: GATE }))
  const claimOf = async (uuid: string) => (await store.cards.list()).find((card) => card.uuid === uuid)?.claim
  /** A card that was in quarantine today has its history. */
  const isFree = async (uuid: string) => ['free', undefined].includes((await claimOf(uuid))?.kind)
  const save = (name: string, more: object = {}) => stack.api.saveEndpoint({ name, gpuIds: 'any', idleTimeout: 600, ...more })

  async function containerOf(worker: string): Promise<string> {
    return (await host.workers()).find((line) => line.includes(worker))?.split(' ')[0] ?? ''
  }

  /** The worker that runs the job, and its card. */
  async function running(endpoint: string, id: string, not?: string): Promise<{ worker: string; uuid: string }> {
    return waitFor(
      `job ${id} to run`,
      async () => {
        const { status, workerId: worker } = await stack.api.status(endpoint, id)
        if (status !== 'IN_PROGRESS' || typeof worker !== 'string' || worker === not) return undefined
        const [gpu] = (await store.workers.list(endpoint)).find((record) => record.id === worker)?.gpus ?? []
        return gpu === undefined ? undefined : { worker, uuid: gpu.uuid }
      },
      PATIENCE,
    )
  }

  test.each([
    ['needs a reset', 'reset', (block: string) => block.replace('</gpu>', `${RESET}</gpu>`)],
    ['is one of eight of which seven are listed', 'missing', () => ''],
  ] as const)('a job on a card that %s ends on another card, and the card returns when the report is clean', async (_, cause, change) => {
    const endpoint = await save(cause)
    const id = await held(endpoint)
    const first = await running(endpoint, id)
    await smi.report(changed(first.uuid, change))
    const second = await running(endpoint, id, first.worker)
    expect(second.uuid).not.toBe(first.uuid)
    expect(await claimOf(first.uuid)).toMatchObject({ kind: 'quarantined', cause, workerId: first.worker })
    await host.docker('exec', await containerOf(second.worker), 'touch', GATE)
    expect(valueOf((await stack.api.settled(endpoint, id))['output'])).toMatchObject({ worker: second.worker })
    expect((await stack.api.health(endpoint)).jobs).toMatchObject({ completed: 1, failed: 0, retried: 0 })
    expect(await host.docker('ps', '-aq', '--filter', `name=${first.worker}`)).toBe('')

    await smi.report(EIGHT)
    await waitFor('the card to return after its probe', () => isFree(first.uuid), PATIENCE)
  })

  test('while nvidia-smi has no report or hangs, a job goes on, and its worker stays under the next driver', async () => {
    const endpoint = await save('upgraded')
    const id = await held(endpoint)
    const { worker, uuid } = await running(endpoint, id)
    const cards = async () => (await store.hosts.list()).flatMap(({ sight }) => sight?.inventory?.gpus ?? [])
    const areAll = (isHealthy: boolean) => async () => {
      const seen = await cards()
      return seen.length === 8 && seen.every(({ healthy, faultKind }) => healthy === isHealthy && faultKind === undefined)
    }
    for (const begin of [() => smi.fail('Failed to initialize NVML: Driver/library version mismatch\n'), () => smi.hang(true)]) {
      await begin()
      await waitFor('the cards to be unknown', areAll(false), PATIENCE)
      await smi.report(EIGHT.replaceAll('550.54.15', '595.10.01').replaceAll('12.4', '13.0'))
      await smi.fail(undefined)
      await smi.hang(false)
      await waitFor('the cards to be there again', areAll(true), PATIENCE)
    }
    expect(await isFree(uuid)).toBe(true)
    await host.docker('exec', await containerOf(worker), 'touch', GATE)
    expect(valueOf((await stack.api.settled(endpoint, id))['output'])).toMatchObject({ worker })
    expect((await store.workers.list(endpoint)).map((record) => record.id)).toEqual([worker])
    await smi.report(EIGHT)
  })

  test('a job on a MIG slice that a new layout does not have ends on a slice of the new one', async () => {
    const list = (name: string) =>
      [0, 1].reduce(
        (text, at) => `${text}\n  MIG 3g.40gb     Device  ${at}: (UUID: MIG-${name}-${at})`,
        `GPU 0: NVIDIA A100 80GB PCIe (UUID: ${/<uuid>(GPU-[^<]+)/.exec(MIG)?.[1] ?? ''})`,
      )
    await smi.report(MIG, list('old'))
    const endpoint = await save('sliced')
    const id = await held(endpoint)
    const first = await running(endpoint, id)
    expect(first.uuid).toMatch(/^MIG-old-/)
    await smi.report(MIG.replaceAll(/<compute_instance_id>\d+</g, '<compute_instance_id>5<'), list('new'))
    const second = await running(endpoint, id, first.worker)
    expect(second.uuid).toMatch(/^MIG-new-/)
    await host.docker('exec', await containerOf(second.worker), 'touch', GATE)
    expect(valueOf((await stack.api.settled(endpoint, id))['output'])).toMatchObject({ worker: second.worker })
    await smi.report(EIGHT, '')
  })

  test('three endpoints share a card, and a fourth gets the part of one that left only when none of its processes is there', async () => {
    const third = { env: { RUNYARD_GPU_MEMORY_MIB: '7000' } }
    const ids = await Promise.all(['red', 'green', 'blue'].map((name) => save(name, third)))
    const places = await Promise.all(ids.map(async (endpoint) => running(endpoint, await held(endpoint))))
    const [card = ''] = places.map(({ uuid }) => uuid)
    expect(places.map(({ uuid }) => uuid)).toEqual([card, card, card])
    const staying = await Promise.all(places.slice(1).map(async ({ worker }) => containerOf(worker)))
    const pids = await Promise.all(staying.map(async (name) => (await host.docker('inspect', '-f', '{{.State.Pid}}', name)).trim()))
    const using = (all: readonly string[]): Promise<void> => {
      const processes = all.map((pid) => `<process_info><pid>${pid}</pid><type>C</type><process_name>python3</process_name></process_info>`)
      return smi.report(changed(card, (block) => block.replace('<processes>', `<processes>${processes.join('')}`)))
    }
    const gone = '4194303'
    await using([...pids, gone])

    await stack.api.deleteEndpoint(ids[0] ?? '')
    const isReleasing = async () => (await claimOf(card))?.kind === 'releasing'
    await waitFor('the card to be in release', isReleasing, PATIENCE)
    const fourth = await save('violet', third)
    const elsewhere = await running(fourth, await held(fourth))
    expect(elsewhere.uuid).not.toBe(card)
    expect(await isReleasing()).toBe(true)

    await using(pids)
    await waitFor('the part to be free', () => isFree(card), PATIENCE)
    const fifth = await save('orange', third)
    expect((await running(fifth, await held(fifth))).uuid).toBe(card)
    await smi.report(EIGHT)
  })

  test('an engine that has only CDI gives a worker exactly its card, and says what mends a specification that is missing', async () => {
    const configuration = join(directory, 'runyard.yaml')
    const specification = join(directory, 'nvidia.json')
    const mend = 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml'
    await writeFile(configuration, 'hosts: []\n')
    const PATH = `${smi.directory}:${process.env['PATH'] ?? ''}`
    const { RUNYARD_WORKER_PLANE_HOST = '' } = hosts.settings
    const here = { PATH, RUNYARD_CONFIG: configuration, RUNYARD_DATA_DIR: directory, RUNYARD_WORKER_PLANE_HOST }
    const add = (...words: readonly string[]) => runCli(['hosts', 'add', ...words], here)
    const lacking = await add(`unix://${hosts.byTls.socket}`, '--name', 'here')
    expect(lacking).toMatchObject({ code: 1, stdout: expect.stringContaining(mend) as string })

    const uuids = BLOCKS.map((_, n) => uuidOf(n))
    await writeFile(specification, JSON.stringify(cdiSpecification(uuids, smi.directory)))
    const { engine, id: name, tls } = hosts.tlsHost
    const added = await add(engine, '--name', name, '--tls-ca', tls.ca, '--tls-cert', tls.cert, '--tls-key', tls.key)
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/✓ +NVIDIA runtime +workers get GPUs by CDI/) as string })

    const RUNYARD_HOSTS = JSON.stringify([hosts.tlsHost])
    const other = await startStack({ host: 'process', settings: { ...hosts.settings, RUNYARD_HOSTS } })
    try {
      const [endpoint, next] = [
        await other.api.saveEndpoint({ name: 'by-cdi', gpuIds: 'any', idleTimeout: 600 }),
        await other.api.saveEndpoint({ name: 'without', gpuIds: 'any', idleTimeout: 600 }),
      ]
      const id = await other.api.run(endpoint, sourceCall('devices', DEVICES))
      const { output } = await other.api.settled(endpoint, id, PATIENCE.timeoutMs)
      await using seen = await openTestStore(other.redis.url)
      const [record] = await seen.workers.list(endpoint)
      const numbers = record?.gpus.map(({ uuid }) => `nvidia${uuids.indexOf(uuid)}`)
      expect(numbers).toHaveLength(1)
      expect(valueOf(output)['value']).toEqual(numbers)

      await rm(specification)
      await other.api.run(next, {})
      const why = async () => (await other.api.get(`/runyard/v1/explain/${next}`)).text
      await waitFor('what mends it', async () => (await why()).includes(mend), PATIENCE)
    } finally {
      await other.stop()
    }
  })
})
