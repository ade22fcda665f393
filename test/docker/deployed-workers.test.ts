import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { createDeployTools } from '../harness/deploy-tools.ts'
import { createDeployedApp, vendoredFiles } from '../harness/deploy.ts'
import type { Stack } from '../harness/stack.ts'
import { ensurePythonImage, findPortablePython, pythonImage } from '../harness/python-image.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPath } from '../harness/venvs.ts'
import { WORKER_IMAGE } from '../harness/worker-image.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

/** A worker with neither our agent nor an SDK. */
const UNPACKS_ITSELF = `
import json, os, tarfile, urllib.request
def ask(name, job="", body=None):
    url = os.environ["RUNPOD_WEBHOOK_" + name].replace("$ID", job)
    headers = {"Authorization": os.environ["RUNPOD_AI_API_KEY"], "Content-Type": "application/json"}
    return urllib.request.urlopen(urllib.request.Request(url, body, headers)).read()
names = sorted(tarfile.open("/root/.runpod/artifact.tar.gz").getnames())
while True:
    taken = ask("GET_JOB")
    if taken:
        ask("POST_OUTPUT", json.loads(taken)["id"], json.dumps({"output": names}).encode())
`

/** A client of another Python: it pickles a function, which runs only on its own version. */
const CLIENT = `
import base64, json, os, sys, urllib.request
import cloudpickle
code = "def apply(f, n):\\n    import sys\\n    return ['%d.%d' % sys.version_info[:2], f(n)]\\n"
pickled = lambda value: base64.b64encode(cloudpickle.dumps(value)).decode()
call = {"function_name": "apply", "function_code": code, "args": [pickled(lambda n: n * 2), pickled(21)], "serialization_format": "cloudpickle"}
headers = {"Authorization": "Bearer " + os.environ["KEY"], "Content-Type": "application/json"}
job = urllib.request.urlopen(urllib.request.Request(os.environ["URL"], json.dumps({"input": call}).encode(), headers)).read()
print(json.dumps(cloudpickle.loads(base64.b64decode(json.loads(job)["output"]["result"]))))
`
const other = await findPortablePython()
const lacking = other === undefined ? ' [no Python beside the usual one that can be copied, on the PATH or of pyenv]' : ''

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'venv:flash-1.21', 'venv:runpod-2.0'], 'deployed apps on Docker', () => {
  const image = 'runyard-test/own-packages:1'
  beforeAll(async () => {
    await runCommand('docker', ['tag', WORKER_IMAGE, image])
    if (other !== undefined) await ensurePythonImage(other)
  })
  afterAll(async () => {
    await tryCommand('docker', ['image', 'rm', image])
  })

  const tests = (stackOf: () => Stack): void => {
    test('SDK 2.0: an image of the user’s brings packages, and our agent runs the build in it', async () => {
      const stack = stackOf()
      const resources = [{ kind: 'queue', name: 'bake', module: 'main', qualname: 'bake' }]
      const manifest = { version: 1, app: 'bakery', resources }
      const app = await createDeployedApp(stack, { name: 'bakery', image, manifest, manifestFile: 'runpod_manifest.json' })
      const handle =
        'class Spec: name = "bake"\nclass Handle:\n    def __init__(self, fn): self.spec, self._fn, self._init_fn = Spec(), fn, None\nbake = Handle(lambda n: n * 2)\n'
      const build = await app.deploy({ 'main.py': handle })
      const bake = await app.save('bake', { RUNPOD_BUILD_ID: build, RUNPOD_RUNTIME_KIND: 'queue' })
      const job = await stack.api.settled(bake, await stack.api.run(bake, { n: 21 }), 120_000)
      expect(job).toMatchObject({ status: 'COMPLETED', output: 42 })
      await app.remove()
    })

    test('an image of the user’s that unpacks its app itself finds the archive where Runpod puts it', async () => {
      const stack = stackOf()
      const manifest = { version: '1.0', project_name: 'packed', resources: { unpack: {} } }
      const app = await createDeployedApp(stack, { name: 'packed', image, manifest, manifestFile: 'flash_manifest.json' })
      await app.deploy({ 'handler_unpack.py': 'ANSWER = 42' })
      const env = [{ key: 'FLASH_RESOURCE_NAME', value: 'unpack' }]
      const template = { name: 'packed', imageName: image, containerDiskInGb: 10, dockerArgs: `python3 -c '${UNPACKS_ITSELF}'`, env }
      const unpack = await app.save('unpack', {}, { template })
      const job = await stack.api.settled(unpack, await stack.api.run(unpack, {}), 120_000)
      expect(job).toMatchObject({ status: 'COMPLETED', output: ['flash_manifest.json', 'handler_unpack.py'] })
      await app.remove()
    })

    test.skipIf(other === undefined)(
      `functions of a client of another Python, live and deployed, run in the image that defaultImages names for it${lacking}`,
      async () => {
        if (other === undefined) return
        const stack = stackOf()
        const { minor, path } = other
        const runpods = `runpod/flash-cpu:py${minor}-latest`
        const live = await stack.api.saveEndpoint({ name: 'live-other', image: runpods, workersMax: 1 })
        const env = {
          KEY: stack.key,
          URL: `${stack.url}/v2/${live}/runsync`,
          PYTHONPATH: join(venvPath('flash-1.21'), 'lib/python3.11/site-packages'),
        }
        const called = runCommand(path, ['-c', CLIENT], { env, timeoutMs: 120_000 })
        const manifest = { version: '1.0', project_name: 'other', python_version: minor, resources: { which: {} } }
        const app = await createDeployedApp(stack, { name: 'other', image: runpods, manifest, manifestFile: 'flash_manifest.json' })
        await app.deploy({ 'handler_which.py': 'import sys\ndef handler(job):\n    return "%d.%d" % sys.version_info[:2]\n' })
        const which = await app.save('which')
        const job = await stack.api.settled(which, await stack.api.run(which, {}), 120_000)
        expect(job).toMatchObject({ status: 'COMPLETED', output: minor })
        expect(JSON.parse(await called)).toEqual([minor, 42])
        await stack.api.deleteEndpoint(live)
        await app.remove()
      },
    )

    test('Flash: a build without what Flash imports starts while the package index is unreachable', async () => {
      const stack = stackOf()
      const manifest = { version: '1.0', project_name: 'bare', resources: { where: {} } }
      const flash = 'runpod/flash-cpu:py3.12-latest'
      const app = await createDeployedApp(stack, { name: 'bare', image: flash, manifest, manifestFile: 'flash_manifest.json' })
      const handler = 'import runpod_flash, dotenv\ndef handler(job):\n    return dotenv.__file__\n'
      await app.deploy({ 'runpod_flash/__init__.py': 'import runpod, rich, pydantic\n', 'handler_where.py': handler })
      const nowhere = 'http://127.0.0.1:9/simple'
      const where = await app.save('where', { PIP_INDEX_URL: nowhere, UV_DEFAULT_INDEX: nowhere, UV_INDEX_URL: nowhere })
      const job = await stack.api.settled(where, await stack.api.run(where, {}), 120_000)
      expect(job).toMatchObject({ status: 'COMPLETED', output: expect.stringContaining('/usr/local/lib/runyard-flash/') })
      await app.remove()
    })

    test('functions of both generations call routes of a load-balanced endpoint from their containers', async () => {
      const stack = stackOf()
      const key = { RUNPOD_API_KEY: stack.key }
      const called = await createDeployedApp(stack, {
        name: 'called',
        image: 'runpod/flash-cpu:py3.12-latest',
        manifest: { version: '1.0', project_name: 'called', resources: { desk: {}, asks: {} } },
        manifestFile: 'flash_manifest.json',
      })
      await called.deploy({
        ...(await vendoredFiles('flash-1.21', 'runpod_flash')),
        'handler_desk.py':
          'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/double/{number}")\ndef double(number: int):\n    return {"doubled": number * 2}\n',
        'handler_asks.py':
          'import asyncio\nfrom runpod_flash import Endpoint\nasync def ask(number):\n    return await Endpoint(id="desk", name="desk").get("/double/%d" % number)\ndef handler(job):\n    return asyncio.run(ask(**job["input"]))\n',
      })
      const imageName = 'runpod/flash-lb-cpu:py3.12-latest'
      const template = { name: 'called-desk', imageName, containerDiskInGb: 10, dockerArgs: '' }
      const env = [{ key: 'FLASH_RESOURCE_NAME', value: 'desk' }]
      const balanced = { type: 'LB', scalerType: 'REQUEST_COUNT', scalerValue: 4, template: { ...template, env } }
      await called.save('desk', {}, balanced)
      const asks = await called.save('asks', { ...key, FLASH_APP: 'called', FLASH_ENV: 'production' })

      const resources = [{ kind: 'queue', name: 'ask', module: 'main', qualname: 'ask' }]
      const manifest = { version: 1, app: 'caller', resources }
      const queue = 'runpod/queue:py3.12-latest'
      const caller = await createDeployedApp(stack, { name: 'caller', image: queue, manifest, manifestFile: 'runpod_manifest.json' })
      const build = await caller.deploy({
        ...(await vendoredFiles('runpod-2.0', 'runpod', 'env/')),
        'main.py':
          'import sys\nsys.path.append("/usr/local/lib/runyard-flash/python%d.%d" % sys.version_info[:2])\nimport runpod\napp = runpod.App("caller")\n@app.queue(name="ask", cpu="cpu3c-1-2")\ndef ask(number: int):\n    return runpod.Api(app="called", name="desk", env="production").get("/double/%d" % number)\n',
      })
      const ask = await caller.save('ask', { ...key, RUNPOD_BUILD_ID: build })
      for (const endpoint of [asks, ask]) {
        const job = await stack.api.settled(endpoint, await stack.api.run(endpoint, { number: 21 }), 120_000)
        expect([job.status, job['error'], job['output']]).toEqual(['COMPLETED', undefined, { doubled: 42 }])
      }
      await called.remove()
      await caller.remove()
    })

    test.concurrent('flash deploy, calls, a class, routes, another environment, new code, and flash undeploy', async () => {
      const stack = stackOf()
      const tools = createDeployTools(stack)
      const program = 'deployed_counter.py'
      await using own = await tools.project(program)
      const deploy = (dir: string, environment: string): Promise<string> =>
        tools.tool('flash-1.21', dir, ['deploy', '--app', 'counting', '--env', environment, '--python-version', '3.11'])
      const call = (environment: string) => tools.call('flash-1.21', own.dir, program, { FLASH_APP: 'counting', FLASH_ENV: environment })
      await deploy(own.dir, 'production')
      // The builds are mounted read-only, and bring their packages; no package index can be reached.
      const found = { six: '/app/six.py', wrote: 'Read-only file system', counts: [{ count: 2 }, { count: 5 }], counted: { count: 9 } }
      expect(await call('production')).toEqual({ ...found, text: 'hello you', desk: { word: 'hello' }, environment: 'production' })
      await using copy = await tools.project(program)
      await tools.rewrite(copy.dir, program, ['hello', 'welcome'])
      await deploy(copy.dir, 'staging')
      expect(await call('staging')).toEqual({ ...found, text: 'welcome you', desk: { word: 'welcome' }, environment: 'staging' })
      expect(await call('production')).toMatchObject({ text: 'hello you', desk: { word: 'hello' } })
      await tools.rewrite(own.dir, program, ['hello', 'goodbye'])
      await deploy(own.dir, 'production')
      expect(await call('production')).toMatchObject({ ...found, text: 'goodbye you', desk: { word: 'goodbye' } })
      for (const { dir } of [own, copy]) await tools.tool('flash-1.21', dir, ['undeploy', '--all', '--force'])
      await tools.tool('flash-1.21', own.dir, ['app', 'delete', 'counting'])
      expect(await tools.environmentOf('counting')).toBeUndefined()
    })

    test.concurrent('rp flash deploy, a call, new code, and rp flash undeploy', async () => {
      const tools = createDeployTools(stackOf())
      const program = 'deployed_mill.py'
      await using own = await tools.project(program)
      for (const [flour, better] of [
        ['coarse', 'fine'],
        ['fine', 'finest'],
      ] as const) {
        await tools.tool('runpod-2.0', own.dir, ['flash', 'deploy'])
        const found = { flour: `${flour} rye`, six: '/app/env/six.py', wrote: 'Read-only file system' }
        expect(await tools.call('runpod-2.0', own.dir, program)).toEqual(found)
        await tools.rewrite(own.dir, program, [flour, better])
      }
      await tools.tool('runpod-2.0', own.dir, ['flash', 'undeploy', '--app', 'mill', '--yes'])
      expect(await tools.environmentOf('mill')).toBeUndefined()
    })
  }
  const images = other === undefined ? {} : { [`cpu-py${other.minor}`]: pythonImage(other.minor) }
  deployedWorkersSuite('docker', { settings: { RUNYARD_DEFAULT_IMAGES: JSON.stringify(images) }, tests })
})
