import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toJson } from '@runyard/schema'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createProcessHost } from '@runyard/host-process'
import { endpointOf, openScalerFixture, type ScalerFixture } from './testing/scaler-fixture.ts'

const WAIT = { timeout: 30_000, interval: 10 }

let fixture: ScalerFixture
let scratchDir: string

beforeEach(async () => {
  fixture = await openScalerFixture()
  scratchDir = await mkdtemp(join(tmpdir(), 'runyard-scaler-'))
})

afterEach(async () => {
  await fixture[Symbol.asyncDispose]()
  await rm(scratchDir, { recursive: true, force: true })
})

/** A host whose agent prints its pid and then waits. */
function processHost() {
  const agentCommand = ['sh', '-c', 'echo "I am $$ for $RUNPOD_POD_ID"; exec sleep 1000']
  return createProcessHost({
    label: 'local',
    hostId: 'process:here',
    instanceId: 'test',
    scratchDir,
    agentCommand,
    run: async () => undefined,
  })
}

async function workerWithPid(): Promise<{ id: string; pid: number }> {
  return vi.waitFor(async () => {
    const [worker] = await fixture.store.workers.list('ep-one')
    const [said] = await fixture.store.workerLogs.read(worker?.id ?? '', 'container', 5)
    const pid = Number(/^I am (\d+) for /.exec(said?.line ?? '')?.[1])
    if (worker === undefined || !(pid > 0)) throw new Error('nothing in the log yet')
    return { id: worker.id, pid }
  }, WAIT)
}

test('a worker is a child process whose output is stored; killed during a job it is replaced and its job taken back', async () => {
  const scaler = await fixture.open({ driver: processHost() })
  const endpoint = endpointOf('ep-one', { settings: { workersMin: 1 } })
  await fixture.store.endpoints.upsert({ id: endpoint.id }, () => endpoint)
  const first = await workerWithPid()
  await fixture.store.workers.patch({ endpointId: 'ep-one', workerId: first.id, fields: { readyAt: Date.now(), lastSeenAt: Date.now() } })
  await fixture.store.jobs.submit('ep-one', { id: 'j1', input: toJson({}), sync: false, policy: {}, keyId: 'key' })
  await fixture.store.jobs.take('ep-one', first.id)
  process.kill(first.pid, 'SIGKILL')
  await vi.waitFor(async () => expect(await fixture.store.jobs.get('ep-one', 'j1')).toMatchObject({ status: 'IN_QUEUE' }), WAIT)
  const second = await vi.waitFor(async () => {
    const worker = await workerWithPid()
    expect(worker.id).not.toBe(first.id)
    return worker
  }, WAIT)
  expect((await fixture.store.workers.getGone(first.id))?.exit?.lastLogLines).toEqual([`I am ${first.pid} for ${first.id}`])
  const lost = (await fixture.store.events.list('ep-one', 10, 'jobs')).find(({ kind }) => kind === 'job_requeued')
  // It was printed before there was a job.
  expect(lost?.message).toMatch(new RegExp(`^worker ${first.id} was lost: .*; its last lines:\nI am ${first.pid} for ${first.id}$`, 'u'))
  expect(await fixture.store.jobs.take('ep-one', second.id)).toMatchObject({ id: 'j1', attempt: 2 })
  await fixture.store.jobs.settle({
    endpointId: 'ep-one',
    jobId: 'j1',
    workerId: second.id,
    outcome: { status: 'COMPLETED', output: toJson(1) },
  })
  await scaler.drainAll()
  expect(() => process.kill(second.pid, 0)).toThrow('ESRCH')
  expect(await readdir(scratchDir)).toEqual([])
})
