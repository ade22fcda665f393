// Deployed apps of both generations on one kind of host: deploy, call, nested call, class, generator, new code, the same again, a worker that is killed.
import { join } from 'node:path'
import { openFakeHub, type FakeHub } from '@runyard/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDeployedApp, type DeployedApp } from '../harness/deploy.ts'
import { makeProject, runPython } from '../harness/python.ts'
import { startStack, type HostKind, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { findWorkerPid } from '../harness/workers.ts'

const CALL = `
def call(url, key, data):
    import json, urllib.request
    request = urllib.request.Request(url, json.dumps({"input": data}).encode(), {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=120))["output"]
`

/** As `flash build` generates them; the app's own modules lie beside them. */
function flashFiles(version: string): Readonly<Record<string, string>> {
  return {
    'shop/__init__.py': CALL,
    'shop/version.py': `VERSION = "${version}"\n`,
    'handler_greet.py': `import os\nfrom shop.version import VERSION\nasync def greet(name):\n    return {"hello": name, "version": VERSION, "worker": os.environ["RUNPOD_POD_ID"]}\ndef handler(job):\n    import asyncio\n    job["input"].pop("__empty", None)\n    return asyncio.run(greet(**job["input"]))\n`,
    'handler_counter.py':
      'class Counter:\n    def __init__(self):\n        self.count = 0\n    def add(self, n):\n        self.count += n\n        return self.count\n_instance = Counter()\ndef handler(job):\n    return getattr(_instance, job["input"].pop("method"))(**job["input"])\n',
    'handler_front.py':
      'import os\nfrom shop import call\ndef handler(job):\n    url = os.environ["RUNPOD_ENDPOINT_BASE_URL"] + "/" + job["input"]["endpoint"] + "/runsync"\n    return call(url, os.environ["RUNPOD_API_KEY"], {"name": "nested"})\n',
    'handler_slow.py':
      'import os, time\ndef handler(job):\n    if os.environ["RUNPOD_POD_ID"] == job["input"].get("not_on"):\n        time.sleep(600)\n    return os.environ["RUNPOD_POD_ID"]\n',
  }
}

/** The part of the SDK 2.0 that a worker uses: handles with a spec. */
const HANDLES =
  'class Spec:\n    def __init__(self, name): self.name = name\nclass Handle:\n    def __init__(self, name, fn):\n        self.spec, self._fn, self._init_fn = Spec(name), fn, None\n'

/** What a worker sees of its model: through the cache, through `runpod.Model(…).path`, and whether it may write where that is mounted. */
const READ = `
def read():
    import pathlib
    cache = pathlib.Path(os.environ["HF_HUB_CACHE"])
    found = cache / "models--meta--llama" / "snapshots" / os.environ["MODEL_REVISION"]
    store = pathlib.Path("/runpod/model-store/huggingface/meta/llama") / os.environ["MODEL_REVISION"]
    (cache / ".locks").mkdir(exist_ok=True)
    try:
        if store.exists():
            (found / "config.json").write_text("changed")
        wrote = store.exists()
    except OSError:
        wrote = False
    text = (found / "config.json").read_text()
    return {"text": text, "store": store.exists() and (store / "onnx" / "model.bin").stat().st_size, "cache": str(cache), "wrote": wrote}
read = Handle("read", read)
`
const MODEL = {
  commit: 'c'.repeat(40),
  files: { 'config.json': '{"a":1}', 'onnx/model.bin': Buffer.alloc(3_000_000, 'weights') },
  lfs: ['onnx/model.bin'],
}

function sdk2Files(version: string): Readonly<Record<string, string>> {
  return {
    'env/handles.py': HANDLES,
    'main.py': `import os\nfrom handles import Handle\nSTATE = []\ndef greet(name):\n    return {"hello": name, "version": "${version}", "worker": os.environ["RUNPOD_POD_ID"], "state": STATE}\ngreet = Handle("greet", greet)\ngreet._init_fn = lambda: STATE.append("ready")\nasync def count(n):\n    for i in range(n):\n        yield i\ncount = Handle("count", count)\n${READ}`,
  }
}

const resource = (name: string): object => ({ kind: 'queue', name, module: 'main', qualname: name })

export interface MoreOfSuite {
  /** Of the stack. */
  readonly settings?: Readonly<Record<string, string>>
  /** Adds tests of the same stack. */
  readonly tests: (stackOf: () => Stack) => void
}

export function deployedWorkersSuite(host: HostKind, more?: MoreOfSuite): void {
  let hub: FakeHub
  let stack: Stack
  let flash: DeployedApp
  let sdk2: DeployedApp

  beforeAll(async () => {
    hub = await openFakeHub()
    const settings = { RUNYARD_LEASE_PING_INTERVAL_S: '1', RUNYARD_MODELS_HUB_URL: hub.url, ...more?.settings }
    stack = await startStack({ host, settings })
    const flashManifest = { version: '1.0', project_name: 'shop', resources: { greet: {}, counter: {}, front: {}, slow: {} } }
    const image = 'runpod/flash-cpu:py3.12-latest'
    flash = await createDeployedApp(stack, { name: 'shop', image, manifest: flashManifest, manifestFile: 'flash_manifest.json' })
    hub.models.set('meta/llama', MODEL)
    const resources = [...['greet', 'count'].map(resource), { ...resource('read'), model: 'meta/llama' }]
    const manifest = { version: 1, app: 'store', resources }
    const queue = 'runpod/queue:py3.12-latest'
    sdk2 = await createDeployedApp(stack, { name: 'store', image: queue, manifest, manifestFile: 'runpod_manifest.json' })
  })
  afterAll(async () => {
    await flash?.remove()
    await sdk2?.remove()
    await stack?.stop()
    await hub?.[Symbol.asyncDispose]()
  })

  const output = async (endpoint: string, input: object): Promise<unknown> => {
    const job = await stack.api.settled(endpoint, await stack.api.run(endpoint, input), 120_000)
    if (job.status !== 'COMPLETED') throw new Error(`${job.status}: ${JSON.stringify(job)}`)
    return job['output']
  }
  const workerOf = (value: unknown): string => (value as { worker: string }).worker

  test('Flash: a function, a class that keeps its state, and a call from one function to another', async () => {
    await flash.deploy(flashFiles('v1'))
    const [greet, counter, front] = await Promise.all([
      flash.save('greet'),
      flash.save('counter'),
      flash.save('front', { RUNPOD_API_KEY: stack.key }),
    ])
    expect(await output(greet, { name: 'Ada' })).toMatchObject({ hello: 'Ada', version: 'v1' })
    expect([await output(counter, { method: 'add', n: 2 }), await output(counter, { method: 'add', n: 3 })]).toEqual([2, 5])
    expect(await output(front, { endpoint: greet })).toMatchObject({ hello: 'nested', version: 'v1' })
  })

  test('Flash: the same again keeps the worker, new code reaches a new one, and a roll-back returns to the old code', async () => {
    const greet = await flash.save('greet')
    const first = await output(greet, { name: 'Ada' })
    await flash.deploy(flashFiles('v2'))
    await flash.save('greet')
    expect(await output(greet, { name: 'Ada' })).toEqual(first)
    await flash.save('greet', { _FLASH_SOURCE_FINGERPRINT: 'v2' })
    const second = await output(greet, { name: 'Ada' })
    expect(second).toMatchObject({ version: 'v2' })
    expect(workerOf(second)).not.toBe(workerOf(first))
    const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' }
    const back = await fetch(`${stack.url}/runyard/v1/endpoints/${greet}/rollback`, { method: 'POST', headers, body: '{}' })
    expect(back.status).toBe(200)
    expect(await output(greet, { name: 'Ada' })).toMatchObject({ version: 'v1' })
  })

  test('Flash: a job whose worker is killed runs again on another worker', async () => {
    const slow = await flash.save('slow')
    const first = String(await output(slow, {}))
    const id = await stack.api.run(slow, { not_on: first })
    await waitFor('the job to be in progress', async () => (await stack.api.status(slow, id)).status === 'IN_PROGRESS')
    process.kill(await findWorkerPid(host, first), 'SIGKILL')
    const job = await stack.api.settled(slow, id, 120_000)
    expect(job['output']).not.toBe(first)
    expect(job.status).toBe('COMPLETED')
  })

  test('SDK 2.0: a function with its init hook, a generator, new code', async () => {
    const build = await sdk2.deploy(sdk2Files('v1'))
    const [greet, count] = await Promise.all([
      sdk2.save('greet', { RUNPOD_BUILD_ID: build }),
      sdk2.save('count', { RUNPOD_BUILD_ID: build }),
    ])
    expect(await output(greet, { name: 'Ada' })).toMatchObject({ hello: 'Ada', version: 'v1', state: ['ready'] })
    expect(await output(count, { n: 3 })).toEqual([0, 1, 2])
    const next = await sdk2.deploy(sdk2Files('v2'))
    await sdk2.save('greet', { RUNPOD_BUILD_ID: next })
    expect(await output(greet, { name: 'Ada' })).toMatchObject({ version: 'v2' })
  })

  test('SDK 2.0: a cached model is fetched once, before the worker starts, and read-only for it', async () => {
    await sdk2.deploy(sdk2Files('v3'))
    hub.requests.length = 0
    const read = await sdk2.save('read', {}, { modelReferences: ['meta/llama'] })
    const seen = await output(read, {})
    expect(seen).toMatchObject({ text: '{"a":1}', store: host === 'docker' ? 3_000_000 : false, wrote: false })
    await sdk2.save('read', { A: 'another worker' }, { modelReferences: ['meta/llama'] })
    const again = await output(read, {})
    expect(again).toMatchObject({ text: '{"a":1}' })
    expect(hub.requests.filter((line) => line.startsWith('GET /large'))).toHaveLength(1)
    if (host === 'process') await compareWithLibrary((again as { cache: string }).cache)
  })

  /** The real huggingface_hub offline in a worker's cache sees the same as in a cache that it has filled itself. */
  async function compareWithLibrary(cache: string): Promise<void> {
    await using own = await makeProject([])
    const look = (env: Record<string, string>) =>
      runPython({
        venv: 'huggingface-hub',
        program: 'hub_cache.py',
        args: ['meta/llama', 'config.json'],
        env: { HF_HUB_DISABLE_XET: '1', ...env },
      })
    const ours = await look({ HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://127.0.0.1:9' })
    const theirs = await look({ HF_HUB_CACHE: join(own.dir, 'cache'), HF_ENDPOINT: hub.url })
    expect(theirs.found).toMatchObject({ text: '{"a":1}', revisions: [MODEL.commit], is_cached: true })
    expect(ours.found).toEqual(theirs.found)
  }

  more?.tests(() => stack)

  test('a worker of an app for a Python that is not there does not start, and the reason names both versions', async () => {
    const image = 'runpod/queue:py3.9-latest'
    const manifest = { version: 1, app: 'attic', pythonVersion: '3.9', resources: [resource('greet')] }
    const attic = await createDeployedApp(stack, { name: 'attic', image, manifest, manifestFile: 'runpod_manifest.json' })
    await attic.deploy(sdk2Files('v1'))
    const greet = await attic.save('greet')
    const job = await stack.api.run(greet, { name: 'Ada' })
    const has = {
      docker: /was built for Python 3\.9, and the image \S+ has Python 3\.\d+: deploy with --python-version 3/,
      process: /was built for Python 3\.9, which no host has: .* has 3\.\d/,
    }
    await expect.poll(async () => (await stack.api.get(`/v2/${greet}/status/${job}`)).text).toMatch(has[host])
    await attic.remove()
  })

  test('a function that the build does not have fails its jobs with a sentence', async () => {
    const missing = await sdk2.save('missing')
    const job = await stack.api.settled(missing, await stack.api.run(missing, {}), 120_000)
    expect(job.status).toBe('FAILED')
    expect(String(job['error'])).toContain('runpod_manifest.json has no resource missing')
  })
}
