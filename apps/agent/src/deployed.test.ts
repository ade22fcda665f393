// Deployed apps end to end: the code comes from an unpacked build, not with the job (flash-api §8.1, sdk2-api §5.1, §5.2).
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect } from 'vitest'
import { gateway, it, scratch, start as startOne } from './testing/agent-test.ts'
import type { TestWorker } from './testing/worker.ts'

let app: string
let worker: TestWorker

beforeEach(() => {
  app = join(scratch, 'app')
  mkdirSync(app)
})

function build(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    writeFileSync(join(app, path), text)
  }
}

function start(envelope: string, env: Readonly<Record<string, string>> = {}): TestWorker {
  const deployed = { RUNYARD_ENVELOPE: envelope, RUNPOD_PREBUILT_APP_DIR: app, FLASH_RESOURCE_NAME: 'my-api', RUNYARD_SCRATCH_DIR: scratch }
  worker = startOne({ env: { ...deployed, ...env } })
  return worker
}

/** A Python without packages of its own. */
function barePython(directory: string): string {
  execFileSync('python3', ['-m', 'venv', '--without-pip', join(directory, 'bare')])
  return join(directory, 'bare', 'bin', 'python')
}

const call = (input: unknown) => gateway.run(input)

describe('a handler that flash deploy shipped', () => {
  const flash = (handler: string): void => build({ 'handler_my-api.py': handler, 'helper.py': 'WHERE = __file__\n' })

  it('is imported from the build with its root first on sys.path and as working directory, and gets id and input', async () => {
    flash('import os, sys, helper\ndef handler(job):\n    return [job["id"], job["input"], os.getcwd(), sys.path[0], helper.WHERE]\n')
    start('deployed-flash')
    const { jobId: id, body } = await call({ a: 1 })
    expect(body).toEqual({ output: [id, { a: 1 }, app, app, join(app, 'helper.py')] })
  })

  it('may be a coroutine, and may return nothing', async () => {
    flash('async def handler(job):\n    job["input"].pop("__empty")\n')
    start('deployed-flash')
    expect((await call({ __empty: true })).body).toEqual({ output: null })
  })

  it('fails the job when it returns an error, which stands beside the rest of the output', async () => {
    flash('def handler(job):\n    return {"success": False, "error": "no", "traceback": "t"}\n')
    start('deployed-flash')
    expect((await call({})).body).toEqual({ output: { success: false, traceback: 't' }, error: 'no' })
  })

  it('has its exceptions reported as Runpod’s worker does', async () => {
    flash('def handler(job):\n    raise ValueError("odd")\n')
    start('deployed-flash')
    const error = JSON.parse((await call({})).body.error)
    expect(error).toMatchObject({ error_type: "<class 'ValueError'>", error_message: 'odd', worker_id: 'w1' })
    expect(error.error_traceback).toContain('handler_my-api.py')
  })

  it('streams what a generator yields, and returns it as a list', async () => {
    flash('def handler(job):\n    yield 1\n    yield {"n": 2}\n')
    start('deployed-flash')
    const done = await call({})
    expect([done.body, done.isStream, gateway.chunks]).toEqual([{ output: [1, { n: 2 }] }, 'true', [{ output: 1 }, { output: { n: 2 } }]])
  })

  it('keeps what its modules set up and what its instances hold, while each job begins as the first one did', async () => {
    flash(
      'import os\nos.environ["SET_AT_IMPORT"] = "yes"\nos.chdir("/")\nCALLS = []\n' +
        'def handler(job):\n    CALLS.append(1)\n    seen = [os.environ["SET_AT_IMPORT"], os.environ.get("SET_BY_JOB"), os.getcwd(), len(CALLS)]\n' +
        '    os.environ["SET_BY_JOB"] = "yes"\n    os.chdir("/tmp")\n    return seen\n',
    )
    start('deployed-flash')
    expect((await call({})).body.output).toEqual(['yes', null, '/', 1])
    expect((await call({})).body.output).toEqual(['yes', null, '/', 2])
  })

  it('is loaded before the worker asks for a job', async () => {
    flash('import time\ntime.sleep(0.5)\nprint("loaded")\ndef handler(job):\n    return 1\n')
    const own = start('deployed-flash')
    await gateway.until(() => gateway.waiting('job-take') > 0)
    expect(own.output()).toContain('loaded')
  })

  it('fails each job with the reason when the build cannot be loaded', async () => {
    flash('raise RuntimeError("no model here")\n')
    const own = start('deployed-flash')
    for (const _ of [1, 2]) {
      const { error_type, error_message } = JSON.parse((await call({})).body.error)
      expect([error_type, error_message]).toEqual(['BootstrapError', expect.stringContaining('no model here')])
    }
    expect(own.output()).toContain('the app could not be loaded, so each job of this worker fails: no model here')
  })

  it('names the function that the build does not have', async () => {
    start('deployed-flash')
    expect((await call({})).body.error).toContain('the build has no handler_my-api.py')
  })

  it('gets what Flash imports from the cache of the machine, which its first worker fills, and installs nothing itself', async () => {
    flash('import dotenv\ndef handler(job):\n    return dotenv.__file__\n')
    build({ 'runpod_flash/__init__.py': '' })
    const tools = join(scratch, 'tools')
    const cache = join(scratch, 'cache')
    mkdirSync(tools)
    const uv = (body: string): void => writeFileSync(join(tools, 'uv'), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    const env = { PATH: `${tools}:${process.env['PATH']}`, XDG_CACHE_HOME: cache, RUNYARD_PYTHON: barePython(scratch) }
    const modules = 'runpod aiohttp httpx requests pydantic cloudpickle dotenv rich'
    uv(`while [ "$1" != --target ]; do shift; done; mkdir "$2"; for name in ${modules}; do echo > "$2/$name.py"; done`)
    const first = start('deployed-flash', env)
    expect((await call({})).body.output).toMatch(new RegExp(`^${cache}/runyard/flash-cpython-.*/dotenv.py$`))
    expect(first.output()).toContain('installing what Flash imports, once')
    await first[Symbol.asyncDispose]()

    uv('echo the index does not answer; exit 1')
    const second = start('deployed-flash', env)
    expect((await call({})).body.output).toContain(cache)
    expect(second.output()).not.toContain('install')
  })

  it('names torch’s two ways out when the build leaves it to the image', async () => {
    flash('import torch\n')
    start('deployed-flash')
    expect((await call({})).body.error).toMatch(/name it in the function's dependencies, or let the operator's defaultImage/)
  })

  it('is loaded anew after its process died, and the job that killed it fails', async () => {
    flash('import os\ndef handler(job):\n    if job["input"].get("die"):\n        os._exit(3)\n    return "alive"\n')
    start('deployed-flash')
    expect((await call({ die: true })).body).toEqual({ error: expect.stringContaining('exit code 3') })
    expect((await call({})).body).toEqual({ output: 'alive' })
  })

  it('ends at once when it is drained while it loads', async () => {
    flash('import time\nprint("loading", flush=True)\ntime.sleep(600)\n')
    const own = start('deployed-flash')
    await own.printed('loading')
    own.process.kill('SIGTERM')
    expect(await own.ended).toBe(0)
  })
})

describe('a deployed async function with max_concurrency', () => {
  // `gate` names a file that other jobs make.
  const HANDLER = `
import asyncio, os
async def handler(job):
    data = job["input"]
    print("begun", job["id"])
    if data.get("set"):
        os.environ["SET_BY_JOB"] = "yes"
    while data.get("gate") and not os.path.exists(data["gate"]):
        await asyncio.sleep(0.01)
    if data.get("open"):
        open(data["open"], "w").close()
    if data.get("exit"):
        raise SystemExit(4)
    if data.get("die"):
        os._exit(3)
    if data.get("block"):
        import time; time.sleep(600)
    return os.environ.get("SET_BY_JOB", "no")
`
  const startThree = (more: Readonly<Record<string, string>> = {}): TestWorker => {
    build({ 'handler_my-api.py': HANDLER })
    return start('deployed-flash', { RUNPOD_MAX_CONCURRENCY: '3', ...more })
  }
  const give = async (own: TestWorker, input: object): Promise<string> => {
    const id = gateway.add(input)
    await own.printed(`begun ${id}`)
    return id
  }
  const gate = (name: string): string => join(scratch, name)

  it('runs as many jobs at a time, and each ping names them all', async () => {
    const own = startThree()
    const first = await give(own, { gate: gate('a') })
    const second = await give(own, { gate: gate('b'), open: gate('a') })
    await gateway.until(() => gateway.pings.some((ping) => ping.get('job_id') === `${first},${second}`))
    expect((await call({ open: gate('b') })).body).toEqual({ output: 'no' })
    expect([(await gateway.settled(first)).body, (await gateway.settled(second)).body]).toEqual([{ output: 'no' }, { output: 'no' }])
    expect(own.output()).toContain(', 3 at a time')
  })

  it('takes no more than that', async () => {
    const own = startThree()
    const held = [await give(own, { gate: gate('a') }), await give(own, { gate: gate('a') }), await give(own, { gate: gate('a') })]
    expect(gateway.waiting('job-take')).toBe(0)
    writeFileSync(gate('a'), '')
    await Promise.all(held.map(async (id) => gateway.settled(id)))
    await gateway.until(() => gateway.waiting('job-take') === 1)
  })

  it('shares its state with the jobs beside it, and begins anew when none runs', async () => {
    const own = startThree()
    const held = await give(own, { gate: gate('a') })
    expect((await call({ set: true })).body).toEqual({ output: 'yes' })
    writeFileSync(gate('a'), '')
    expect((await gateway.settled(held)).body).toEqual({ output: 'yes' })
    expect((await call({})).body).toEqual({ output: 'no' })
  })

  it('stops the one job that is cancelled', async () => {
    const own = startThree()
    const [cancelled, other] = [await give(own, { gate: gate('never') }), await give(own, { gate: gate('a') })]
    gateway.stop(cancelled)
    await own.printed('the job was stopped')
    writeFileSync(gate('a'), '')
    expect((await gateway.settled(other)).body).toEqual({ output: 'no' })
    expect((await call({})).body).toEqual({ output: 'no' })
  })

  it('gets a fresh process when all that it runs is to be stopped and does not stop', async () => {
    const own = startThree()
    const blocked = [await give(own, { gate: gate('never') }), await give(own, { block: true })]
    for (const id of blocked) gateway.stop(id)
    await own.printed('the job was stopped')
    expect((await call({})).body).toEqual({ output: 'no' })
  })

  it('fails the job that exits, and not those beside it', async () => {
    const own = startThree()
    const other = await give(own, { gate: gate('a') })
    expect((await call({ exit: true })).body.error).toContain('the function called sys.exit(4)')
    writeFileSync(gate('a'), '')
    expect((await gateway.settled(other)).body).toEqual({ output: 'no' })
    expect((await call({})).body).toEqual({ output: 'no' })
  })

  it('fails the job that kills the process alone', async () => {
    startThree()
    expect((await call({ die: true })).body.error).toContain('exit code 3')
    expect((await call({})).body).toEqual({ output: 'no' })
  })

  it('ends the worker when one of several jobs kills the process, and settles none of them', async () => {
    const own = startThree()
    await give(own, { gate: gate('never') })
    await give(own, { die: true })
    expect(await own.ended).toBe(1)
    expect(own.output()).toContain('each of them runs again alone')
    expect(gateway.requests).not.toContain('POST job-done')
  })

  it('finishes all of its jobs when it is drained', async () => {
    const own = startThree()
    const held = [await give(own, { gate: gate('a') }), await give(own, { gate: gate('a') })]
    own.process.kill('SIGTERM')
    await gateway.until(() => gateway.waiting('job-take') === 0)
    writeFileSync(gate('a'), '')
    for (const id of held) expect((await gateway.settled(id)).body).toEqual({ output: 'no' })
    expect(await own.ended).toBe(0)
  })

  it('streams what overlapping generators yield, each in its order', async () => {
    const handler =
      'import asyncio\nasync def handler(job):\n    for i in range(3):\n        yield [job["id"], i]\n        await asyncio.sleep(0.01)\n'
    build({ 'handler_my-api.py': handler })
    start('deployed-flash', { RUNPOD_MAX_CONCURRENCY: '2' })
    const [one, two] = await Promise.all([call({}), call({})])
    for (const { jobId: id, body } of [one, two]) {
      expect(body).toEqual({ output: [0, 1, 2].map((i) => [id, i]) })
      expect(gateway.chunks.filter((chunk) => JSON.stringify(chunk).includes(id))).toEqual([0, 1, 2].map((i) => ({ output: [id, i] })))
    }
  })

  it('runs one job at a time when it is not async, and says so', async () => {
    build({ 'handler_my-api.py': 'def handler(job):\n    return 1\n' })
    const own = start('deployed-flash', { RUNPOD_MAX_CONCURRENCY: '3' })
    expect((await call({})).body).toEqual({ output: 1 })
    expect(own.output()).toContain('max_concurrency=3 has no effect: the function is not async')
  })
})

const SDK = `
class Spec:
    def __init__(self, name): self.name = name
class Handle:
    def __init__(self, name, fn):
        self.spec, self._fn, self._init_fn = Spec(name), fn, None
`

describe('a function that rp flash deploy shipped', () => {
  function sdk2(source: string, manifest: object = {}): void {
    const resources = [{ kind: 'queue', name: 'my-api', module: 'pkg.main', qualname: 'f' }]
    build({
      'env/fakesdk.py': SDK,
      'pkg/main.py': `from fakesdk import Handle\n${source}`,
      'runpod_manifest.json': JSON.stringify({ version: 1, app: 'demo', pythonVersion: '3.11', resources, ...manifest }),
    })
  }

  it('is the handle whose spec has the name of the resource, called with the input as its arguments', async () => {
    sdk2('f = Handle("my-api", lambda a, b=2: [a, b])\ng = Handle("other", None)\n')
    start('deployed-sdk2')
    expect((await call({ a: 1 })).body).toEqual({ output: [1, 2] })
    expect(JSON.parse((await call({ __empty: true })).body.error).error_type).toBe("<class 'TypeError'>")
  })

  it('finds packages of the build before the project, and both before the image', async () => {
    sdk2('import os, sys\nf = Handle("my-api", lambda: [sys.path[:2], os.getcwd()])\n')
    start('deployed-sdk2')
    expect((await call({ __empty: true })).body.output).toEqual([[join(app, 'env'), app], app])
  })

  it('runs the init hook once, before the first job', async () => {
    sdk2('STATE = []\nasync def init():\n    STATE.append("init")\nf = Handle("my-api", lambda: STATE)\nf._init_fn = init\n')
    start('deployed-sdk2')
    expect((await call({})).body.output).toEqual(['init'])
    expect((await call({})).body.output).toEqual(['init'])
  })

  it('may be an async generator', async () => {
    sdk2('async def count(n):\n    for i in range(n):\n        yield i\nf = Handle("my-api", count)\n')
    start('deployed-sdk2')
    const done = await call({ n: 3 })
    expect([done.body, done.isStream]).toEqual([{ output: [0, 1, 2] }, 'true'])
  })

  it('names the resource that the manifest does not have', async () => {
    sdk2('', { resources: [] })
    start('deployed-sdk2')
    expect((await call({})).body.error).toContain("the build's runpod_manifest.json has no resource my-api")
  })
})
