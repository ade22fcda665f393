// The agent's life with a gateway that comes and goes: polls, pings, delivery of results, drain, and life as PID 1.
import { existsSync, writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { gateway, it, start, startGateway } from './testing/agent-test.ts'
import { descendantsOf, flashCall, processesMarked, startWorker, unpickled, type TestWorker } from './testing/worker.ts'

let worker: TestWorker

const answer = flashCall('f', 'def f():\n    return 42\n')
/** Ends when `release` is called. */
const held = () =>
  flashCall(
    'f',
    `def f():\n    import os, time\n    print("begun", flush=True)\n    while not os.path.exists(${JSON.stringify(gate())}): time.sleep(0.02)\n    return "finished"\n`,
  )
const gate = (): string => join(worker.directory, 'gate')
const release = (): void => writeFileSync(gate(), '')

describe('pings', () => {
  it('begin at once, name the version, and list the held job while there is one', async () => {
    worker = start()
    await gateway.until(() => gateway.pings.length > 0)
    expect(gateway.pings[0]?.get('job_id')).toBeNull()
    expect(gateway.pings[0]?.get('runpod_version')).toMatch(/^runyard-agent\/\d/)
    gateway.give({ id: 'held', input: held() })
    await gateway.until(() => gateway.pings.some((ping) => ping.get('job_id') === 'held'))
    release()
    await gateway.settled('held')
    await gateway.until(() => gateway.pings.at(-1)?.get('job_id') === null)
  })
})

it.runIf(existsSync('/proc/self/autogroup'))('runs a function with the priority that the agent was started with', async () => {
  worker = start({ prefix: ['nice', '-n', '3'], env: { RUNYARD_ENVELOPE: 'flash' } })
  const code = 'def f():\n    import os\n    return os.getpriority(0, 0), open("/proc/self/autogroup").read().split()[1:]\n'
  gateway.give({ id: 'nice', input: flashCall('f', code, { serialization_format: 'json' }) })
  const priority = getPriority() + 3
  expect((await gateway.settled('nice')).body.output).toMatchObject({ json_result: [priority, ['nice', String(priority)]] })
})

describe('polls', () => {
  it('start before Python does', async () => {
    worker = start({ env: { RUNYARD_PYTHON: join(import.meta.dirname, 'testing', 'slow-python') } })
    await gateway.until(() => gateway.waiting('job-take') === 1 && gateway.waiting('job-stop') === 1)
    expect(worker.output()).toBe('')
  })

  it('survive a gateway that answers with errors, and back off from it', async () => {
    gateway.refuse.set('job-take', [500, 502, 429, 503])
    worker = start()
    gateway.give({ id: 'late', input: answer })
    expect(unpickled((await gateway.settled('late')).body.output.result)).toBe('42')
    expect(gateway.requests.filter((request) => request === 'GET job-take').length).toBeLessThan(8)
  })

  it('find a gateway that was restarted', async () => {
    worker = start()
    await gateway.until(() => gateway.waiting('job-take') === 1)
    const port = Number(new URL(gateway.url).port)
    await gateway[Symbol.asyncDispose]()
    await startGateway(port)
    gateway.give({ id: 'after', input: answer })
    expect((await gateway.settled('after')).body.output.success).toBe(true)
  })

  it('of a worker that is unknown slow down', async () => {
    gateway.refuse.set(
      'job-take',
      Array.from({ length: 100 }, () => 404),
    )
    worker = start()
    await worker.printed('does not know this worker any more')
    await gateway.until(() => gateway.pings.length >= 3)
    expect(gateway.requests.filter((request) => request === 'GET job-take')).toHaveLength(1)
  })
})

describe('a result', () => {
  it('is kept and posted again until the gateway takes it', async () => {
    gateway.refuse.set('job-done', [503, 429, 500])
    worker = start()
    gateway.give({ id: 'kept', input: answer })
    expect(unpickled((await gateway.settled('kept')).body.output.result)).toBe('42')
    expect(gateway.requests.filter((request) => request === 'POST job-done')).toHaveLength(4)
  })

  it('outlives a restart of the gateway', async () => {
    worker = start()
    gateway.give({ id: 'outliving', input: held() })
    await worker.printed('begun')
    const port = Number(new URL(gateway.url).port)
    await gateway[Symbol.asyncDispose]()
    release()
    await worker.printed('the result could not be delivered')
    await startGateway(port)
    expect(unpickled((await gateway.settled('outliving')).body.output.result)).toBe("'finished'")
  })

  it('outlives the agent too: the next one in the same place delivers it, and names its job in pings until then', async () => {
    worker = start()
    gateway.give({ id: 'outliving', input: held() })
    await worker.printed('begun')
    const port = Number(new URL(gateway.url).port)
    await gateway[Symbol.asyncDispose]()
    release()
    await worker.printed('it is kept on disk')
    worker.process.kill('SIGKILL')
    await worker.ended
    const directory = worker.directory
    const next = startWorker(`http://127.0.0.1:${port}`, { env: { TMPDIR: directory } })
    await next.printed('delivering it')
    await startGateway(port)
    expect(unpickled((await gateway.settled('outliving')).body.output.result)).toBe("'finished'")
    await gateway.until(() => gateway.waiting('job-take') === 1)
    await next[Symbol.asyncDispose]()
  })

  it('that is refused is dropped, and the next job is taken', async () => {
    gateway.refuse.set('job-done', [404])
    worker = start()
    gateway.give({ id: 'refused', input: answer })
    gateway.give({ id: 'next', input: answer })
    await gateway.settled('next')
    expect(worker.output()).toContain('the gateway refused the result (HTTP 404); it is dropped')
  })

  it('that is too large for the gateway becomes an error that says so', async () => {
    gateway.refuse.set('job-done', [413])
    worker = start()
    gateway.give({ id: 'large', input: flashCall('f', 'def f():\n    return b"x" * 3_000_000\n') })
    expect((await gateway.settled('large')).body.error).toBe(
      'the function’s result is 3.8 MiB on the wire, which is more than the gateway accepts',
    )
  })

  it('that is not wanted any more is not posted again', async () => {
    gateway.refuse.set(
      'job-done',
      Array.from({ length: 50 }, () => 503),
    )
    worker = start()
    gateway.give({ id: 'cancelled', input: answer })
    await worker.printed('the result could not be delivered')
    gateway.stop('cancelled')
    gateway.give({ id: 'next', input: answer })
    await gateway.until(
      () => gateway.waiting('job-take') === 0 && gateway.requests.filter((request) => request === 'GET job-take').length === 2,
    )
    gateway.refuse.set('job-done', [])
    expect((await gateway.settled('next')).body.output.success).toBe(true)
  })
})

describe('the next job', () => {
  const polls = () => gateway.requests.filter((request) => request === 'GET job-take')

  it('comes with the answer to a result, so that a queue is worked off without a poll', async () => {
    worker = start()
    await gateway.until(() => gateway.waiting('job-take') === 1)
    for (const id of ['a', 'b', 'c']) gateway.give({ id, input: answer })
    expect(unpickled((await gateway.settled('c')).body.output.result)).toBe('42')
    expect(polls()).toHaveLength(1)
    await gateway.until(() => polls().length === 2)
  })

  it('is not asked for again with a result whose first answer was lost: a poll does', async () => {
    worker = start()
    gateway.refuse.set('job-done', [0])
    gateway.give({ id: 'a', input: answer })
    expect((await gateway.settled('a')).headers['x-runyard-next']).toBeUndefined()
    expect(gateway.requests.filter((request) => request === 'POST job-done')).toHaveLength(2)
    gateway.give({ id: 'b', input: answer })
    await gateway.settled('b')
    expect(polls()).toHaveLength(2)
  })

  it('is run, and none is asked for after it, where SIGTERM comes while it is on its way', async () => {
    worker = start()
    await gateway.until(() => gateway.waiting('job-take') === 1)
    gateway.beforeDone = async () => {
      gateway.beforeDone = async () => undefined
      worker.process.kill('SIGTERM')
      // Two more pings: by then the signal has long been handled.
      const pings = gateway.pings.length
      await gateway.until(() => gateway.pings.length > pings + 1)
    }
    for (const id of ['a', 'b', 'never']) gateway.give({ id, input: answer })
    expect((await gateway.settled('b')).headers['x-runyard-next']).toBeUndefined()
    expect(await worker.ended).toBe(0)
    expect(polls()).toHaveLength(1)
  })
})

describe('a generator', () => {
  const code = 'def f(n):\n    for i in range(n): yield i\n    print("all yielded", flush=True)\n'
  const input = {
    function_name: 'f',
    function_code: code,
    args: [40],
    kwargs: {},
    serialization_format: 'json',
    execution_type: 'function',
  }

  it('goes on while the gateway is away; then its chunks arrive in order, once each, before its result', async () => {
    gateway.refuse.set(
      'job-stream',
      Array.from({ length: 1000 }, () => 503),
    )
    worker = start()
    gateway.give({ id: 'stream', input })
    await worker.printed('all yielded')
    expect(gateway.chunks).toEqual([])
    gateway.refuse.set('job-stream', [])
    const { body } = await gateway.settled('stream')
    expect(body.output).toHaveLength(40)
    expect(gateway.chunks).toEqual(body.output.map((output: unknown) => ({ output })))
  })
})

describe('SIGTERM', () => {
  it('ends an idle worker at once, with exit code 0 and its poll closed', async () => {
    worker = start()
    await gateway.until(() => gateway.waiting('job-take') === 1)
    await worker.printed('takes jobs')
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toBe(0)
    await gateway.until(() => gateway.waiting('job-take') === 0)
  })

  it('lets a busy worker finish and deliver its job, and take no more', async () => {
    worker = start()
    gateway.give({ id: 'held', input: held() })
    await worker.printed('begun')
    worker.process.kill('SIGTERM')
    await worker.printed('asked to end')
    gateway.give({ id: 'never', input: answer })
    release()
    const { body, headers } = await gateway.settled('held')
    expect(unpickled(body.output.result)).toBe("'finished'")
    expect(headers['x-runyard-next']).toBeUndefined()
    expect(await worker.ended).toBe(0)
    expect(gateway.requests.filter((request) => request === 'GET job-take')).toHaveLength(1)
  })

  it('a second time kills the job and everything it started', async () => {
    worker = start()
    const code =
      'def f():\n    import subprocess, time\n    subprocess.Popen(["setsid", "sleep", "1004"])\n    print("begun")\n    time.sleep(1000)\n'
    gateway.give({ id: 'held', input: flashCall('f', code) })
    await worker.printed('begun')
    worker.process.kill('SIGTERM')
    // Sent at once, the second would be merged with the first.
    const pings = gateway.pings.length
    await gateway.until(() => gateway.pings.length > pings + 1)
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toBe(143)
    expect(processesMarked('sleep 1004')).toEqual([])
  })
})

describe('as PID 1', () => {
  const inNamespace = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']

  it.skipIf(process.getuid?.() !== 0)('reaps what jobs leave and drains on SIGTERM (needs root for a PID namespace)', async () => {
    worker = start({ prefix: inNamespace })
    const code = [
      'def f():',
      '    import os, subprocess, time',
      '    for _ in range(20): subprocess.Popen(["setsid", "-f", "true"])',
      '    pid = os.fork()',
      '    if pid == 0: os._exit(0)',
      '    subprocess.Popen(["setsid", "-f", "sleep", "1005"])',
      '    time.sleep(0.2)',
      '    os._exit(9)',
    ].join('\n')
    gateway.give({ id: 'messy', input: flashCall('f', code) })
    expect((await gateway.settled('messy')).body.error).toMatch(/exit code 9/)
    gateway.give({
      id: 'pid',
      input: flashCall('f', 'def f():\n    import os\n    return os.getppid(), os.readlink("/proc/1/exe").rsplit("/")[-1]\n'),
    })
    expect(unpickled((await gateway.settled('pid')).body.output.result)).toMatch(/^\(\d+, 'node'\)$/)
    const init = descendantsOf(worker.process.pid ?? 0)[0]?.pid ?? 0
    await expect.poll(() => descendantsOf(init).map(({ state }) => state === 'Z')).toEqual([false, false])
    process.kill(init, 'SIGTERM')
    expect(await worker.ended).toBe(0)
  })
})

describe('a missing setting', () => {
  it('ends the agent with one sentence', async () => {
    worker = start({ env: { RUNPOD_WEBHOOK_GET_JOB: '' } })
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain('RUNPOD_WEBHOOK_GET_JOB is not set')
  })
})
