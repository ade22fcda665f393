// GPUs of a process host that fail while a job runs on them: what a stand-in for nvidia-smi reports decides what happens to the job, the worker and the GPU
// (ADR 57).
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProcessHost } from '@runyard/host-process'
import { parseGpuIds } from '@runyard/core'
import { toJson } from '@runyard/schema'
import { standInSmi, type StandInSmi } from '@runyard/testing/nvidia-smi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { endpointOf, openScalerFixture, type ScalerFixture } from './testing/scaler-fixture.ts'

const WAIT = { timeout: 45_000, interval: 50 }
const fixtureOf = (name: string) => readFile(new URL(`../../../packages/nvidia-smi-parser/fixtures/${name}`, import.meta.url), 'utf8')
const TWO = await fixtureOf('two-geforce-550.xml')
const MIG = await fixtureOf('mig-a100-535.xml')
const BLOCKS = TWO.match(/<gpu id=[\s\S]*?<\/gpu>/g) ?? []
const RESET = '<gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status>'
/** The report with another block for one card. */
const changed = (uuid: string, change: (block: string) => string) =>
  BLOCKS.reduce((xml, block) => (block.includes(uuid) ? xml.replace(block, change(block)) : xml), TWO)
const CARD = /<uuid>(GPU-[^<]+)/.exec(MIG)?.[1] ?? ''
const slices = (name: string) =>
  [0, 1].reduce(
    (list, at) => `${list}\n  MIG 3g.40gb     Device  ${at}: (UUID: MIG-${name}-${at})`,
    `GPU 0: NVIDIA A100 80GB PCIe (UUID: ${CARD})`,
  )

let fixture: ScalerFixture
let scratchDir: string
let smi: StandInSmi
const path = process.env['PATH']

beforeEach(async () => {
  fixture = await openScalerFixture()
  scratchDir = await mkdtemp(join(tmpdir(), 'runyard-scaler-'))
  smi = await standInSmi(TWO)
  process.env['PATH'] = `${smi.directory}:${path ?? ''}`
})

afterEach(async () => {
  process.env['PATH'] = path
  await fixture[Symbol.asyncDispose]()
  await smi[Symbol.asyncDispose]()
  await rm(scratchDir, { recursive: true, force: true })
})

async function open(env: Record<string, string> = {}) {
  const driver = createProcessHost({
    label: 'local',
    hostId: 'process:here',
    instanceId: 'test',
    scratchDir,
    agentCommand: ['sh', '-c', 'exec sleep 1000'],
  })
  const scaler = await fixture.open({ driver, config: { simulatedGpus: undefined } })
  const gpu = { ...parseGpuIds('any'), count: 1, allowedCudaVersions: [] }
  const endpoint = endpointOf('ep-one', { spec: { gpu, env }, settings: { workersMax: 2 } })
  await fixture.store.endpoints.upsert({ id: endpoint.id }, () => endpoint)
  return {
    driver,
    async [Symbol.asyncDispose]() {
      await scaler.drainAll()
      await scaler[Symbol.asyncDispose]()
      await driver[Symbol.asyncDispose]()
    },
  }
}

/** A worker that runs and is none of these, with the job. */
async function takes(jobId: string, ...others: readonly string[]) {
  const { workers, jobs } = fixture.store
  return vi.waitFor(async () => {
    const worker = (await workers.list('ep-one')).find(
      ({ id, containerStartedAt }) => containerStartedAt !== undefined && !others.includes(id),
    )
    if (worker === undefined) throw new Error('no such worker yet')
    const seen = Date.now()
    await workers.patch({ endpointId: 'ep-one', workerId: worker.id, fields: { readyAt: seen, lastSeenAt: seen } })
    expect(await jobs.take('ep-one', worker.id)).toMatchObject({ id: jobId, attempt: 1 })
    return { workerId: worker.id, uuid: worker.gpus[0]?.uuid ?? '', name: worker.gpus[0]?.name }
  }, WAIT)
}

const submit = (id: string) => fixture.store.jobs.submit('ep-one', { id, input: toJson({}), sync: false, policy: {}, keyId: 'key' })
const settle = (jobId: string, workerId: string) =>
  fixture.store.jobs.settle({ endpointId: 'ep-one', jobId, workerId, outcome: { status: 'COMPLETED', output: toJson(1) } })
const claimOf = async (uuid: string) => (await fixture.store.cards.list()).find((card) => card.uuid === uuid)?.claim
const seen = async () => (await fixture.store.hosts.list()).flatMap(({ sight }) => sight?.inventory?.gpus ?? [])
const isBack = (uuid: string) =>
  vi.waitFor(async () => expect(await claimOf(uuid)).toMatchObject({ kind: 'free', quarantines: [expect.any(Number)] }), WAIT)

test.each([
  ['needs a reset', 'reset', (block: string) => block.replace('</gpu>', `${RESET}</gpu>`)],
  ['is left out of the report', 'missing', () => ''],
] as const)(
  'a job on a GPU that %s completes on the other one, and the GPU returns when its report is clean',
  async (_title, cause, change) => {
    await using scaler = await open()
    void scaler
    await submit('j1')
    const first = await takes('j1')
    await smi.report(changed(first.uuid, change))
    const second = await takes('j1', first.workerId)
    expect(second.uuid).not.toBe(first.uuid)
    expect(await claimOf(first.uuid)).toMatchObject({ kind: 'quarantined', cause, workerId: first.workerId })
    expect(await settle('j1', first.workerId)).toBe('not_holder')
    expect(await settle('j1', second.workerId)).toBe('settled')
    expect(await fixture.store.jobs.get('ep-one', 'j1')).toMatchObject({ status: 'COMPLETED', retries: 0 })
    await smi.report(TWO)
    await isBack(first.uuid)
  },
  120_000,
)

test('no report, as while a driver is upgraded, ends nothing: the GPUs are unknown until there is a report', async () => {
  await using scaler = await open()
  void scaler
  await submit('j1')
  const { workerId, uuid } = await takes('j1')
  await smi.fail('Failed to initialize NVML: Driver/library version mismatch\n')
  await vi.waitFor(
    async () =>
      expect((await seen()).map(({ healthy, faultKind }) => [healthy, faultKind])).toEqual([
        [false, undefined],
        [false, undefined],
      ]),
    WAIT,
  )
  expect(await claimOf(uuid)).toBeUndefined()
  expect(await settle('j1', workerId)).toBe('settled')
  await smi.report(TWO.replaceAll('550.54.15', '595.10.01').replaceAll('12.4', '13.0'))
  await smi.fail(undefined)
  await vi.waitFor(async () => expect((await seen()).every(({ healthy }) => healthy)).toBe(true), WAIT)
  expect((await fixture.store.workers.list('ep-one')).map(({ id }) => id)).toEqual([workerId])
}, 120_000)

test('a line of the kernel belongs to the GPU and to the worker that has it, of two that share it to the one with the process', async () => {
  await using scaler = await open({ RUNYARD_GPU_MEMORY_MIB: '1000' })
  await submit('j1')
  await submit('j2')
  const first = await takes('j1')
  const second = await takes('j2', first.workerId)
  expect(second.uuid).toBe(first.uuid)
  const [pid = 0] = (await scaler.driver.processesOf?.([second.workerId])) ?? []
  const block = BLOCKS.find((one) => one.includes(first.uuid)) ?? ''
  const pci = /<gpu id="0000([^"]+)\.0"/.exec(block)?.[1] ?? ''
  await smi.kernel(`NVRM: Xid (PCI:${pci}): 13, pid=${pid}, name=python3, Graphics Exception: ESR 0x1`)
  // Follows each kill.
  await smi.kernel(`NVRM: Xid (PCI:${pci}): 45, pid=${pid}, name=python3, Ch 00000008`)
  const line = `${first.name} (${first.uuid}): the kernel reports Xid 13 in python3 (pid ${pid}): Graphics Exception: ESR 0x1`
  const reported = async () => (await fixture.store.events.list('ep-one', 50, 'workers')).filter(({ kind }) => kind === 'worker_card_error')
  await vi.waitFor(async () => expect(await reported()).toMatchObject([{ workerId: second.workerId, message: line }]), WAIT)
  const shown = () =>
    vi.waitFor(async () => expect((await seen()).find(({ uuid }) => uuid === first.uuid)?.xid?.workerIds).toBeDefined(), WAIT)
  await shown()
  expect((await seen()).map(({ uuid, xid }) => [uuid, xid?.xid, xid?.workerIds])).toContainEqual([first.uuid, 13, [second.workerId]])
  expect(await fixture.store.workerLogs.read(second.workerId, 'system', 20)).toContainEqual(expect.objectContaining({ line }))
  expect(await claimOf(first.uuid)).toBeUndefined()

  process.kill(pid, 'SIGKILL')
  const gone = async () => (await fixture.store.events.list('ep-one', 50, 'workers')).find(({ kind }) => kind === 'worker_gone')
  await vi.waitFor(async () => expect((await gone())?.message).toContain(`; before it, ${line}`), WAIT)
  const requeued = (await fixture.store.events.list('ep-one', 50, 'jobs')).find(({ kind }) => kind === 'job_requeued')
  expect(requeued).toMatchObject({ jobId: 'j2', message: expect.stringContaining(`; before it, ${line}`) as string })
  await settle('j1', first.workerId)
}, 120_000)

test('slices are GPUs of their own, and a job on one that a new layout does not have completes on a new one', async () => {
  await smi.report(MIG, slices('old'))
  await using scaler = await open()
  void scaler
  await submit('j1')
  const first = await takes('j1')
  expect(first).toMatchObject({ uuid: 'MIG-old-0', name: 'NVIDIA A100 80GB PCIe MIG 3g.40gb' })
  await smi.report(MIG.replaceAll(/<compute_instance_id>\d+</g, '<compute_instance_id>5<'), slices('new'))
  const second = await takes('j1', first.workerId)
  expect(second.uuid).toMatch(/^MIG-new-/)
  expect(await settle('j1', second.workerId)).toBe('settled')
}, 120_000)
