// Kills the processes of a stack with SIGKILL at random, repeatedly, under submits and cancels. Every accepted job ends correctly: a job that
// was cancelled in time stays CANCELLED, every other one is COMPLETED with its own value.
// `RUNYARD_CHAOS_S` sets the duration (CI: 30 s), `RUNYARD_CHAOS_SEED` repeats the choices of an earlier run.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JobView } from '@runyard/schema/api'
import { createChance, seedOfRun, type Chance } from '../harness/seeded.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { sourceCall, valueOf } from '../suites/calls.ts'

const DEFAULT_S = 30
const LASTS_MS = Number(process.env['RUNYARD_CHAOS_S'] ?? DEFAULT_S) * 1000
const CALLERS = 4
/** Higher than the number of kills that one job can meet: the scenario tests loss, not the budget. */
const BUDGET = 50

/** Records each run in a file, which shows which jobs had an effect. */
const WORK = `
def work(file, value, seconds):
    import time
    time.sleep(seconds)
    with open(file, "a") as effects:
        effects.write(f"{value}\\n")
    return {"value": value}
`

interface Submitted {
  readonly id: string
  readonly value: number
  readonly isCancelled: boolean
}

/** One request that may be repeated; undefined: send it again. */
type Ask = () => Promise<string | undefined>

interface Run {
  readonly stack: Stack
  readonly endpointId: string
  readonly chance: Chance
  readonly effects: string
  readonly jobs: Submitted[]
  readonly kills: Map<string, number>
  readonly over: AbortSignal
  next: number
}

await suiteThatNeeds(['redis'], 'chaos', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({
      host: 'process',
      gateways: 2,
      // Accepted jobs are on disk before the response, so they must survive even a killed Redis.
      appendfsync: 'always',
      settings: { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_LEASE_DURATION_S: '5', RUNYARD_LEASE_BUDGET: `${BUDGET}` },
    })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  test(
    'nothing that was accepted is lost, and what was cancelled in time stays cancelled',
    async () => {
      const seed = seedOfRun()
      console.log(`chaos: RUNYARD_CHAOS_SEED=${seed} for ${LASTS_MS / 1000} s`)
      const endpointId = await stack.api.saveEndpoint({ name: 'chaos', workersMax: 3, idleTimeout: 30 })
      const run: Run = {
        stack,
        endpointId,
        chance: createChance(seed),
        effects: join(stack.dataDir, 'effects'),
        jobs: [],
        kills: new Map(),
        over: AbortSignal.timeout(LASTS_MS),
        next: 0,
      }
      await stack.api.runsync(endpointId, workCall(run, { value: 0, seconds: 0 }))
      await Promise.all([killOnAndOn(run), ...Array.from({ length: CALLERS }, () => callOnAndOn(run))])
      console.log(`chaos: ${run.jobs.length} jobs, kills: ${JSON.stringify(Object.fromEntries(run.kills))}`)
      expect(run.jobs.length).toBeGreaterThan(0)
      expect(await endsOf(run)).toEqual(run.jobs.map(promiseOf))
      const ran = new Set((await readFile(run.effects, 'utf8')).trim().split('\n').map(Number))
      expect(run.jobs.filter(({ value, isCancelled }) => !isCancelled && !ran.has(value))).toEqual([])
      expect(run.jobs.filter(({ value, isCancelled }) => isCancelled && ran.has(value))).toEqual([])
      expect((await stack.api.health(endpointId)).jobs).toMatchObject({ inQueue: 0, inProgress: 0, failed: 0 })
    },
    LASTS_MS + 240_000,
  )
})

const promiseOf = ({ value, isCancelled }: Submitted): unknown => ({
  value,
  end: isCancelled ? 'CANCELLED' : { status: 'COMPLETED', output: { value } },
})

const workCall = ({ effects }: Run, { value, seconds }: { value: number; seconds: number }): Record<string, unknown> =>
  sourceCall('work', WORK, { file: effects, value, seconds })

async function endsOf({ stack, endpointId, jobs }: Run): Promise<readonly unknown[]> {
  return await Promise.all(
    jobs.map(async ({ id, value }) => {
      const job = await stack.api.settled(endpointId, id, 180_000)
      const end = job.status === 'CANCELLED' ? job.status : { status: job.status, output: valueOf(job['output']) }
      return { value, end }
    }),
  )
}

async function callOnAndOn(run: Run): Promise<void> {
  while (!run.over.aborted) {
    await untilThereIsRoom(run)
    run.next += 1
    const value = run.next
    const isToBeCancelled = run.chance.between(0, 1) < 0.3
    // A job that will be cancelled sleeps longer than any cancel takes to arrive.
    const seconds = isToBeCancelled ? 600 : run.chance.between(0, 0.8)
    const id = await untilAnswered(submit(run, { value, seconds }))
    await sleep(run.chance.between(0, 600))
    if (isToBeCancelled) await untilAnswered(cancel(run, id))
    run.jobs.push({ id, value, isCancelled: isToBeCancelled })
  }
}

/** Limits the queue, so that it does not take long to drain after the last kill. */
async function untilThereIsRoom({ stack, endpointId, over }: Run): Promise<void> {
  await waitFor('the queue to be short', async () => over.aborted || (await stack.api.health(endpointId)).jobs.inQueue < 20, {
    timeoutMs: 120_000,
    intervalMs: 200,
  })
}

/** With its own idempotency key, so that a repetition after a broken response creates no second job. */
function submit(run: Run, work: { value: number; seconds: number }): Ask {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
  const body = JSON.stringify({ input: workCall(run, work) })
  return async () => {
    const reply = await run.stack.api.request(`/v2/${run.endpointId}/run`, { method: 'POST', body, headers })
    if (reply.status === 503) return undefined
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    return reply.as<JobView>().id
  }
}

function cancel({ stack, endpointId }: Run, id: string): Ask {
  return async () => {
    const reply = await stack.api.post(`/v2/${endpointId}/cancel/${id}`, {})
    if (reply.status === 503) return undefined
    expect([reply.status, reply.json['status']]).toEqual([200, 'CANCELLED'])
    return id
  }
}

/** A killed gateway breaks the connection, a killed Redis causes a 503: both mean retry. */
async function untilAnswered(ask: Ask): Promise<string> {
  const answer = async (): Promise<string | undefined> =>
    await ask().catch((error: unknown) => {
      if (error instanceof TypeError) return undefined
      throw error
    })
  return await waitFor('an answer', answer, { timeoutMs: 120_000, intervalMs: 100 })
}

async function killOnAndOn(run: Run): Promise<void> {
  const { stack, chance, kills } = run
  const victims: Readonly<Record<string, () => Promise<void>>> = {
    'gateway 1': () => restart(stack.gateways[0]),
    'gateway 2': () => restart(stack.gateways[1]),
    scaler: () => restart(stack.scaler),
    redis: () => restartRedis(stack),
    worker: () => killWorker(run),
    'worker again': () => killWorker(run),
  }
  while (!run.over.aborted) {
    await sleep(chance.between(500, 3000))
    const victim = chance.pick(Object.keys(victims))
    await victims[victim]?.()
    kills.set(victim, (kills.get(victim) ?? 0) + 1)
  }
}

async function restart(part: Stack['scaler'] | undefined): Promise<void> {
  await part?.kill()
  await part?.start()
}

async function restartRedis({ redis }: Stack): Promise<void> {
  await redis.kill('at once')
  await redis.restart()
}

/** The worker of a running job; undefined if no job runs. */
async function killWorker({ stack, endpointId }: Run): Promise<void> {
  const reply = await stack.api.get(`/v2/${endpointId}/requests?limit=50`).catch(() => undefined)
  const running = ((reply?.json['requests'] ?? []) as JobView[]).find((job) => job.status === 'IN_PROGRESS')
  const worker = running === undefined ? undefined : await stack.api.status(endpointId, running.id).catch(() => undefined)
  if (typeof worker?.['workerId'] !== 'string' || worker['workerId'] === '') return
  // It may have ended in the meantime.
  await findWorkerPid(stack.host, worker['workerId'])
    .then((pid) => process.kill(pid, 'SIGKILL'))
    .catch(() => undefined)
}
