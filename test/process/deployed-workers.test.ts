import { findOtherPythons } from '@runyard/testing/other-pythons'
import { expect, test } from 'vitest'
import { createDeployedApp } from '../harness/deploy.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

const HANDLER = 'import sys\ndef handler(job):\n    return {"version": "%d.%d" % sys.version_info[:2], "n": job["input"]["n"]}\n'

const others = await findOtherPythons()
const lacking = others.length === 0 ? ' [no Python beside the usual one here, on the PATH or of pyenv]' : ''

await suiteThatNeeds(['redis', 'venv:huggingface-hub'], 'deployed apps on the process host', () => {
  const pythons = Object.fromEntries(others.map(({ minor, path }) => [minor, path]))
  deployedWorkersSuite('process', {
    settings: { RUNYARD_PYTHONS: JSON.stringify(pythons) },
    tests(stackOf) {
      test.skipIf(lacking)(`apps of other Pythons than the host’s own run with those, beside apps of the usual one${lacking}`, async () => {
        const { api } = stackOf()
        const versions = others.map(async ({ minor }) => {
          const image = `runpod/flash-cpu:py${minor}-latest`
          const name = `py${minor.replace('.', '')}`
          const manifest = { version: '1.0', project_name: name, python_version: minor, resources: { [name]: {} } }
          const app = await createDeployedApp(stackOf(), { name, image, manifest, manifestFile: 'flash_manifest.json' })
          await app.deploy({ [`handler_${name}.py`]: HANDLER })
          const which = await app.save(name)
          const job = await api.settled(which, await api.run(which, { n: 1 }), 120_000)
          expect(job).toMatchObject({ status: 'COMPLETED', output: { version: minor, n: 1 } })
          await app.remove()
          return minor
        })
        console.log(`deployed apps ran with Python ${(await Promise.all(versions)).join(', ')}`)
      })
    },
  })
})
