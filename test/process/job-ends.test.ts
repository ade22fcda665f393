// Every way in which a job can end, on a running stack: each is one line in the log of one process, one event, and one count on `/metrics`
// (ADR 44).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Part, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'
import { COUNT, ECHO, NAP, sourceCall } from '../suites/calls.ts'

interface EndLine {
  readonly msg: string
  readonly endpoint?: string
  readonly cause: string
  readonly status: string
  readonly jobs?: number
}

const LONG_NAP = sourceCall('nap', NAP, { seconds: 600 })

await suiteThatNeeds(['redis'], 'how jobs end', () => {
  let stack: Stack
  let worked: string
  let queued: string

  beforeAll(async () => {
    stack = await startStack({ host: 'process', settings: { RUNYARD_LEASE_BUDGET: '0', RUNYARD_LIMITS_STREAM_BYTES: '500' } })
    // One endpoint with one worker, and one whose jobs wait forever.
    worked = await stack.api.saveEndpoint({ name: 'worked', workersMax: 1, idleTimeout: 60 })
    queued = await stack.api.saveEndpoint({ name: 'queued', workersMax: 0 })
    await Promise.all([endWithWorkers(), endInQueue(), endWithEndpoint()])
    await waitFor('the last lines', () => linesOf(stack.gateway).length + linesOf(stack.scaler).length >= 10)
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const linesOf = (part: Part): readonly EndLine[] =>
    part
      .child()
      .output()
      .split('\n')
      .filter((line) => line.includes('"job settled"') || line.includes('"jobs settled"'))
      .map((line) => JSON.parse(line) as EndLine)
  const startedJob = async (more: Record<string, unknown> = {}): Promise<{ id: string; workerId: string }> => {
    const id = await stack.api.run(worked, LONG_NAP, more)
    const workerId = await waitFor(
      'the job to run',
      async () => {
        const { status, workerId: holder } = await stack.api.status(worked, id)
        return status === 'IN_PROGRESS' && typeof holder === 'string' ? holder : undefined
      },
      { timeoutMs: 120_000 },
    )
    return { id, workerId }
  }
  const untilGone = (endpoint: string, id: string): Promise<unknown> =>
    waitFor('the job to be gone', async () => (await stack.api.get(`/v2/${endpoint}/status/${id}`)).status === 404)

  async function endWithWorkers(): Promise<void> {
    await stack.api.settled(worked, await stack.api.run(worked, sourceCall('echo', ECHO)), 120_000)
    await stack.api.settled(worked, await stack.api.run(worked, sourceCall('count', COUNT, { to: 1000 })))
    await stack.api.post(`/v2/${worked}/cancel/${(await startedJob()).id}`, {})
    await stack.api.settled(worked, (await startedJob({ policy: { executionTimeout: 5000 } })).id)
    await untilGone(worked, (await startedJob({ policy: { ttl: 20_000 } })).id)
    const { id, workerId } = await startedJob()
    process.kill(await findWorkerPid('process', workerId), 'SIGKILL')
    await stack.api.settled(worked, id)
  }

  async function endInQueue(): Promise<void> {
    await stack.api.post(`/v2/${queued}/cancel/${await stack.api.run(queued, LONG_NAP)}`, {})
    for (let count = 0; count < 3; count += 1) await stack.api.run(queued, LONG_NAP)
    await stack.api.post(`/v2/${queued}/purge-queue`, {})
    await untilGone(queued, await stack.api.run(queued, LONG_NAP, { policy: { ttl: 10_000 } }))
  }

  async function endWithEndpoint(): Promise<void> {
    const deleted = await stack.api.saveEndpoint({ name: 'deleted', workersMax: 0 })
    await stack.api.run(deleted, LONG_NAP)
    await stack.api.deleteEndpoint(deleted)
  }

  test('each end is one log line of the process that ended the job', () => {
    const isDeletion = ({ cause }: EndLine): boolean => cause === 'endpoint_deleted'
    const ends = (part: Part): readonly string[] =>
      linesOf(part)
        .filter((line) => !isDeletion(line))
        .map(({ endpoint, cause, status, jobs = 1 }) => `${endpoint} ${cause} ${status} ${jobs}`)
        .toSorted()
    expect(ends(stack.gateway)).toEqual([
      'queued cancelled CANCELLED 1',
      'queued purged CANCELLED 3',
      'worked cancelled CANCELLED 1',
      'worked result COMPLETED 1',
      'worked stream_limit FAILED 1',
    ])
    // The gateway ends the jobs of an endpoint that it deletes, unless the scaler was faster.
    expect([stack.gateway, stack.scaler].flatMap(linesOf).filter(isDeletion)).toMatchObject([{ status: 'CANCELLED' }])
    expect(ends(stack.scaler)).toEqual([
      'queued ttl TIMED_OUT 1',
      'worked execution_timeout FAILED 1',
      'worked ttl TIMED_OUT 1',
      'worked worker_lost FAILED 1',
    ])
  })

  test('each end is one event', async () => {
    const endsOf = async (endpoint: string): Promise<readonly string[]> => {
      const { json } = await stack.api.get(`/v2/serverless/${endpoint}/events`)
      const events = json['events'] as { kind: string; status?: string; reason?: string }[]
      return events
        .filter(({ kind }) => kind === 'job_settled')
        .map(({ status, reason }) => `${status} ${reason ?? '-'}`)
        .toSorted()
    }
    await expect.poll(() => endsOf(queued)).toEqual(['CANCELLED -', 'CANCELLED -', 'TIMED_OUT -'])
    await expect
      .poll(() => endsOf(worked))
      .toEqual(['CANCELLED -', 'COMPLETED -', 'FAILED -', 'FAILED execution_timeout', expect.stringMatching(/^FAILED \w+$/), 'TIMED_OUT -'])
  })

  test('each end is counted by its cause, and with its durations if the job had started', async () => {
    // The gateway hears of what the scaler ended.
    const samples = (name: string, endpoint: string) =>
      expect.poll(async () => {
        const { text } = await stack.api.get('/metrics')
        return text
          .split('\n')
          .filter((line) => line.startsWith(`${name}{`) && line.includes(`endpoint_id="${endpoint}"`))
          .map((line) => line.slice(name.length).replace(/endpoint(_id)?="[^"]*",?/g, ''))
          .toSorted()
      })
    await samples('runyard_job_end_causes_total', queued).toEqual([
      '{cause="cancelled",status="CANCELLED"} 1',
      '{cause="purged",status="CANCELLED"} 3',
      '{cause="ttl",status="TIMED_OUT"} 1',
      // Failures are counted from zero (ADR 73).
      '{cause="worker_lost",status="FAILED"} 0',
    ])
    await samples('runyard_job_end_causes_total', worked).toEqual([
      '{cause="cancelled",status="CANCELLED"} 1',
      '{cause="execution_timeout",status="FAILED"} 1',
      '{cause="result",status="COMPLETED"} 1',
      '{cause="stream_limit",status="FAILED"} 1',
      '{cause="ttl",status="TIMED_OUT"} 1',
      '{cause="worker_lost",status="FAILED"} 1',
    ])
    await samples('runyard_job_run_seconds_count', queued).toEqual(['{} 0'])
    await samples('runyard_job_run_seconds_count', worked).toEqual(['{} 6'])
    await samples('runyard_jobs_ended_total', worked).toEqual([
      '{status="CANCELLED"} 1',
      '{status="COMPLETED"} 1',
      '{status="FAILED"} 3',
      '{status="TIMED_OUT"} 1',
    ])
  })
})
