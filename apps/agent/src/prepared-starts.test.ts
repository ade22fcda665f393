// What is ready before a worker's first job (ADR 56): a worker that stands by until it has an endpoint, and modules that are imported before the
// first fork.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest'
import { it } from './testing/agent-test.ts'
import type { FakeGateway } from './testing/fake-gateway.ts'
import { descendantsOf, flashCall, processesMarked, type TestWorker } from './testing/worker.ts'
import { vendorDirectory } from '../scripts/vendor.ts'

async function run(gateway: FakeGateway, id: string, code: string): Promise<unknown> {
  gateway.give({ id, input: flashCall('f', code, { serialization_format: 'json' }) })
  return (await gateway.settled(id)).body.output
}

const CRASH = 'def f():\n    import os\n    os._exit(3)\n'

describe('a worker that stands by', () => {
  const standby = (env: Record<string, string> = {}) => ({ standsBy: true, env: { RUNYARD_ENVELOPE: 'flash', ...env } })
  const pythonRuns = (worker: TestWorker) =>
    expect.poll(() => descendantsOf(worker.process.pid ?? 0).length, { timeout: 20_000 }).toBeGreaterThan(0)

  it('asks for nothing before it has an endpoint, and then serves it with its environment, its token and nothing of its own', async ({
    gateway,
    start,
  }) => {
    const worker = start(standby({ LEFT: 'of the host' }))
    await pythonRuns(worker)
    expect([gateway.waiting('job-take'), gateway.pings.length]).toEqual([0, 0])
    worker.takeOn({ SECRET: 'of the endpoint', TZ: 'Etc/GMT-3' })
    worker.limit()
    const code =
      'def f():\n    import os, time\n    return [os.environ["SECRET"], "RUNYARD_STANDBY" in os.environ, "RUNPOD_AI_API_KEY" in os.environ, time.strftime("%z")]\n'
    expect(await run(gateway, 'one', code)).toMatchObject({ json_result: ['of the endpoint', false, false, '+0300'] })
    await run(gateway, 'crash', CRASH)
    expect(await run(gateway, 'two', code)).toMatchObject({ json_result: ['of the endpoint', false, false, '+0300'] })
  })

  it('takes on no second endpoint', async ({ gateway, start }) => {
    const worker = start(standby())
    worker.takeOn({ SECRET: 'first' })
    worker.limit()
    await run(gateway, 'one', 'def f():\n    return 1\n')
    worker.takeOn({ SECRET: 'second' })
    const code = 'def f():\n    import os\n    return os.environ["SECRET"]\n'
    expect(await run(gateway, 'two', code)).toMatchObject({ json_result: 'first' })
  })

  it('asks for jobs while its limits are not reported yet, and runs none before', async ({ gateway, start }) => {
    const worker = start(standby())
    worker.takeOn({ SECRET: 'first' })
    await expect.poll(() => gateway.waiting('job-take'), { timeout: 20_000 }).toBe(1)
    gateway.give({ id: 'one', input: flashCall('f', 'def f():\n    print("it runs")\n    return 1\n', { serialization_format: 'json' }) })
    await expect.poll(() => gateway.waiting('job-take'), { timeout: 20_000 }).toBe(0)
    expect(worker.output()).not.toContain('it runs')
    worker.limit()
    expect((await gateway.settled('one')).body.output).toMatchObject({ json_result: 1 })
  })

  it('ends with its job where its limits are never reported', async ({ gateway, start }) => {
    const worker = start(standby())
    worker.takeOn({ SECRET: 'first' })
    await expect.poll(() => gateway.pings.length, { timeout: 20_000 }).toBeGreaterThan(0)
    worker.takeOn()
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain('before the container had its limits')
  })

  it('ends without an endpoint when it gets SIGTERM', async ({ start }) => {
    const worker = start(standby())
    await pythonRuns(worker)
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toBe(0)
  })

  it('ends without an endpoint when the program that would give it one has ended', async ({ start }) => {
    const worker = start(standby())
    await pythonRuns(worker)
    worker.takeOn()
    expect(await worker.ended).toBe(0)
  })

  it('ends when Python does not start, and says why', async ({ start }) => {
    const worker = start(standby({ RUNYARD_PYTHON: '/nonexistent/python' }))
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain('Python could not be started in this worker')
  })
})

describe('a worker whose Python starts beside the agent', () => {
  const RUNNER = join(import.meta.dirname, '..', 'runner')
  let runtime: string
  beforeEach(() => {
    runtime = join(mkdtempSync(join(tmpdir(), 'beside-')), 'runtime')
  })
  afterEach(() => {
    rmSync(join(runtime, '..'), { recursive: true, force: true })
  })
  const beside = () => ({
    prefix: ['python3', join(RUNNER, 'supervisor.py'), '--beside', vendorDirectory],
    env: { RUNYARD_ENVELOPE: 'flash', MINE: 'yes', RUNYARD_RUNTIME_DIR: runtime },
  })
  const LOOK =
    'def f():\n    import os, sys\n    own = [n for n in os.environ if n.startswith("RUNPOD_WEBHOOK_") or n in ("RUNPOD_AI_API_KEY", "RUNYARD_SUPERVISOR")]\n' +
    '    print("printed")\n    return [os.environ["MINE"], own, os.getppid(), sys.path[0]]\n'
  const parentIn = (output: unknown): number => (output as { json_result: [string, [], number, string] }).json_result[2]

  it('runs its jobs in it, without the variables of the worker protocol', async ({ gateway, start }) => {
    const worker = start(beside())
    const output = await run(gateway, 'one', LOOK)
    expect(output).toMatchObject({ json_result: ['yes', [], expect.any(Number), ''], stdout: 'printed\n' })
    expect(descendantsOf(worker.process.pid ?? 0).map(({ pid }) => pid)).toContain(parentIn(output))
    await run(gateway, 'crash', CRASH)
    expect(parentIn(await run(gateway, 'two', LOOK))).toBe(parentIn(output))
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toBe(0)
    expect(processesMarked(worker.directory)).toEqual([])
  })

  it('starts another one when it was killed, and leaves no process of a job', async ({ gateway, start }) => {
    const worker = start(beside())
    const first = parentIn(await run(gateway, 'one', LOOK))
    const fork =
      'def f():\n    import os, signal, time\n    supervisor, pid = os.getppid(), os.fork()\n    if pid == 0:\n        time.sleep(1000)\n' +
      '    open(os.environ["TMPDIR"] + "/pid", "w").write(str(pid))\n    os.kill(supervisor, signal.SIGKILL)\n'
    await run(gateway, 'kill', fork)
    expect(parentIn(await run(gateway, 'two', LOOK))).not.toBe(first)
    const pid = Number(readFileSync(join(worker.directory, 'pid'), 'utf8'))
    await expect.poll(() => existsSync(`/proc/${pid}/fd/0`)).toBe(false)
  })
})

describe('preloaded modules (RUNYARD_PRELOAD)', () => {
  let modules: string
  beforeAll(() => {
    modules = mkdtempSync(join(tmpdir(), 'modules-'))
    mkdirSync(join(modules, 'heavy'))
    writeFileSync(join(modules, 'heavy', '__init__.py'), 'import os\nIMPORTED_BY = os.getpid()\n')
  })
  afterAll(() => {
    rmSync(modules, { recursive: true, force: true })
  })

  const preloading = (preload: string) => ({ env: { RUNYARD_PRELOAD: preload, RUNYARD_ENVELOPE: 'flash', PYTHONPATH: modules } })
  /** Imported by the parent of the job's process; by the job's process. */
  const WHO = 'def f():\n    import os, heavy\n    return [heavy.IMPORTED_BY == os.getppid(), heavy.IMPORTED_BY == os.getpid()]\n'

  it('are imported by the parent of every job’s process, a fresh one after a crash included', async ({ gateway, start }) => {
    start(preloading('heavy, json'))
    expect(await run(gateway, 'one', WHO)).toMatchObject({ json_result: [true, false] })
    await run(gateway, 'crash', CRASH)
    expect(await run(gateway, 'two', WHO)).toMatchObject({ json_result: [true, false] })
  })

  it('are named in the log where they cannot be imported, and fail no job', async ({ gateway, start }) => {
    const worker = start(preloading('heavy.nothing,heavy'))
    expect(await run(gateway, 'one', WHO)).toMatchObject({ json_result: [true, false] })
    await worker.printed("runyard: the module heavy.nothing cannot be preloaded: ModuleNotFoundError: No module named 'heavy.nothing'")
  })

  it('are none where no names are given', async ({ gateway, start }) => {
    start(preloading(''))
    expect(await run(gateway, 'one', WHO)).toMatchObject({ json_result: [false, true] })
  })
})

/** Prints at the end which modules were loaded: those of Node as it names them, ours by URL. */
const LIST_MODULES = `
import { writeSync } from 'node:fs'
import { registerHooks } from 'node:module'
const urls = []
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
process.on('exit', () => writeSync(1, [...process.moduleLoadList, ...urls].map((name) => 'loaded ' + name + '\\n').join('')))
`

describe('the start of the agent', () => {
  it('loads neither the schemas nor Node’s fetch nor its TLS, which took most of its time', async ({ gateway, start }) => {
    const worker = start({ env: { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(LIST_MODULES)}"` } })
    await run(gateway, 'j1', 'def f():\n    return 1\n')
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toBe(0)
    const loaded = worker.output().match(/(?<=^loaded ).+$/gm) ?? []
    expect(loaded).toContain('NativeModule _http_client')
    expect(loaded.filter((name) => /zod|undici\/undici|^NativeModule tls$/.test(name))).toEqual([])
  })
})
