// Unmodified clients of an existing endpoint: `runpod` sync and asyncio, `runpod-sdk` of npm, Flash's own job client, and the Runpod SDK 2.0
// with its `rp flash dev` (client-api §11, sdk2-api §3.2). On one host: clients see
// nothing of it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import runpodSdk from 'runpod-sdk'
import { tryCommand } from '../harness/child.ts'
import { makeProject, pythonEnv, runPython } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { venvPath, type VenvName } from '../harness/venvs.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { COUNT, ECHO, FAIL, NAP, sourceCall, valueOf } from '../suites/calls.ts'

const fast = sourceCall('echo', ECHO, { value: 'hello' })
const slow = sourceCall('nap', NAP, { seconds: 60 })
const failing = sourceCall('fail', FAIL)

await suiteThatNeeds(
  ['redis', 'venv:runpod-1.12', 'venv:runpod-1.7', 'venv:runpod-2.0', 'venv:flash-1.21'],
  'clients of an endpoint',
  () => {
    let stack: Stack
    let endpoint: string

    beforeAll(async () => {
      stack = await startStack({ host: 'process' })
      endpoint = await stack.api.saveEndpoint({ name: 'clients', idleTimeout: 60 })
    })
    afterAll(async () => {
      await stack?.stop()
    })

    const client = (venv: VenvName, mode: string): Promise<{ found: Readonly<Record<string, unknown>> }> => {
      const args = [mode, endpoint, ...[fast, slow, failing].map((input) => JSON.stringify(input))]
      return runPython({ venv, program: 'runpod_client.py', args, env: stack.env })
    }
    const sdk = (): RunpodEndpoint => {
      const made = runpodSdk(stack.key, { baseUrl: `${stack.url}/v2` }).endpoint(endpoint)
      if (made === null) throw new Error('runpod-sdk made no endpoint')
      return made
    }

    test.each(['runpod-1.12', 'runpod-1.7', 'runpod-2.0'] as const)(
      'client-api §13.5: %s, sync: run, output, status, run_sync, cancel, health, a wrong key and an unknown job',
      async (venv) => {
        const { found } = await client(venv, 'sync')
        expect(valueOf(found['output'])).toMatchObject({ value: 'hello' })
        expect(valueOf(found['sync'])).toMatchObject({ value: 'hello' })
        expect(found).toMatchObject({ status: 'COMPLETED', cancelled: { status: 'CANCELLED' }, afterCancel: 'CANCELLED', unknownJob: 404 })
        expect(found['health']).toMatchObject({ jobs: expect.anything(), workers: expect.anything() })
        expect(found['wrongKey']).toMatch(/^401/)
      },
    )

    test('client-api §13.5: runpod 1.12, asyncio: run, output, status, cancel, health, and an unknown job', async () => {
      const { found } = await client('runpod-1.12', 'asyncio')
      expect(valueOf(found['output'])).toMatchObject({ value: 'hello' })
      expect(found).toMatchObject({
        status: 'COMPLETED',
        cancelled: { status: 'CANCELLED' },
        afterCancel: 'CANCELLED',
        unknownJob: "'status'",
      })
    })

    test('runpod-sdk of npm: run, runSync, status, cancel and health', async () => {
      const api = sdk()
      const run = await api.run({ input: fast })
      expect(run).toMatchObject({ id: expect.any(String), status: 'IN_QUEUE' })
      const done = await waitFor('the job to end', async () => {
        const status = await api.status(run.id)
        return status.completed ? status : undefined
      })
      expect(done).toMatchObject({ status: 'COMPLETED', succeeded: true })
      expect(valueOf(done.output)).toMatchObject({ value: 'hello' })
      expect(await api.runSync({ input: fast }, 30_000)).toMatchObject({ completed: true, succeeded: true, status: 'COMPLETED' })
      const long = await api.run({ input: slow })
      expect(await api.cancel(long.id)).toMatchObject({ id: long.id, status: 'CANCELLED' })
      expect(await api.health()).toMatchObject({ jobs: { inQueue: 0 }, workers: { throttled: 0 } })
    })

    test('runpod-sdk of npm: runSync gives up after its timeout without an exception while the job continues', async () => {
      const api = sdk()
      const early = await api.runSync({ input: sourceCall('nap', NAP, { seconds: 7, value: 'late' }) }, 2000)
      expect(early).toMatchObject({ completed: false, id: expect.stringMatching(/^sync-/) })
      const late = await stack.api.settled(endpoint, early.id)
      expect(valueOf(late['output'])).toMatchObject({ value: 'late' })
    })

    test('runpod-sdk of npm: stream yields each chunk once and in order', async () => {
      const api = sdk()
      const run = await api.run({ input: sourceCall('count', COUNT, { to: 7 }) })
      const numbers: unknown[] = []
      for await (const chunk of api.stream(run.id)) numbers.push(chunkNumber(chunk))
      expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6])
    })

    test('Flash 1.21’s client of an existing endpoint: run, wait, cancel, runsync', async () => {
      const args = [endpoint, JSON.stringify(fast), JSON.stringify(slow)]
      const { found } = await runPython({ venv: 'flash-1.21', program: 'flash_jobs.py', args, env: stack.env })
      expect(found).toMatchObject({ done: true, cancelled: 'CANCELLED' })
      expect(valueOf(found['output'])).toMatchObject({ value: 'hello' })
      expect(valueOf(found['sync'])).toMatchObject({ value: 'hello' })
    })

    test('SDK 2.0: `rp flash dev --once` runs queue functions on our workers and leaves no endpoint', async () => {
      await using project = await makeProject(['rp_app.py'])
      const result = await tryCommand(`${venvPath('runpod-2.0')}/bin/rp`, ['flash', 'dev', 'rp_app.py', '--once'], {
        cwd: project.dir,
        env: pythonEnv('runpod-2.0', project.dir, stack.env),
        timeoutMs: 120_000,
      })
      const line = result.stdout.split('\n').find((text) => text.includes('@@ '))
      if (line === undefined) throw new Error(`rp ended with ${result.code}:\n${result.stdout}\n${result.stderr}`)
      const found = JSON.parse(line.slice(line.indexOf('@@ ') + 3)) as Record<string, Record<string, unknown>>
      expect(found['remote']).toMatchObject({ greeting: 'hello world', six: '1.17.0' })
      expect(found['spawned']).toMatchObject({ greeting: 'hello youhello you' })
      expect(found['error']?.['text']).toContain('the cheese is gone')
      // A generator that raises yields its values, then the error, although the job itself is COMPLETED (sdk2-api §4.4).
      const end = { type: 'RemoteExecutionError', text: expect.stringContaining('the cheese is gone') }
      expect(found['broken']).toEqual({ values: [0, 1], ...end })
      expect(found['brokenAtOnce']).toEqual({ values: [], ...end })
      expect(result).toMatchObject({ code: 0 })
      expect((await stack.api.endpoints()).map((one) => one.name)).toEqual(['clients'])
    })
  },
)

/** The content of a streamed chunk of the JSON envelope (sdk2-api §5.2 "generator"). */
function chunkNumber(chunk: unknown): unknown {
  const reply = (chunk as { output?: { json_result?: { number?: unknown } } }).output
  return reply?.json_result?.number
}

interface SdkJob {
  readonly id: string
  readonly status: string
  readonly completed?: boolean
  readonly succeeded?: boolean
  readonly output?: unknown
}

interface RunpodEndpoint {
  readonly run: (request: { input: unknown }) => Promise<SdkJob>
  readonly runSync: (request: { input: unknown }, timeout: number) => Promise<SdkJob>
  readonly status: (id: string) => Promise<SdkJob>
  readonly cancel: (id: string) => Promise<SdkJob>
  readonly health: () => Promise<unknown>
  readonly stream: (id: string) => AsyncGenerator
}
