import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { createDeployedApp } from '../harness/deploy.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { WORKER_IMAGE } from '../harness/worker-image.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'deployed apps on Docker', () => {
  const image = 'runyard-test/own-packages:1'
  beforeAll(async () => {
    await runCommand('docker', ['tag', WORKER_IMAGE, image])
  })
  afterAll(async () => {
    await tryCommand('docker', ['image', 'rm', image])
  })

  deployedWorkersSuite('docker', (stackOf) => {
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
  })
})
