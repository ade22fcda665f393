import { expect, test } from 'vitest'
import { createDeployedApp } from '../harness/deploy.ts'
import { findOtherPython } from '../harness/machine.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

const HANDLER = 'import sys\ndef handler(job):\n    return {"version": "%d.%d" % sys.version_info[:2], "n": job["input"]["n"]}\n'

const other = await findOtherPython()
const lacking = other === undefined ? ' [no Python beside the usual one here, on the PATH or of pyenv]' : ''

await suiteThatNeeds(['redis', 'venv:huggingface-hub'], 'deployed apps on the process host', () => {
  const settings = other === undefined ? {} : { RUNYARD_PYTHONS: JSON.stringify({ [other.minor]: other.path }) }
  deployedWorkersSuite('process', {
    settings,
    tests(stackOf) {
      test.skipIf(lacking)(
        `an app of another Python than the host’s own runs with that one, beside apps of the usual one${lacking}`,
        async () => {
          const image = `runpod/flash-cpu:py${other?.minor}-latest`
          const manifest = { version: '1.0', project_name: 'other', python_version: other?.minor, resources: { which: {} } }
          const app = await createDeployedApp(stackOf(), { name: 'other', image, manifest, manifestFile: 'flash_manifest.json' })
          await app.deploy({ 'handler_which.py': HANDLER })
          const which = await app.save('which')
          const { api } = stackOf()
          const job = await api.settled(which, await api.run(which, { n: 1 }), 120_000)
          expect(job).toMatchObject({ status: 'COMPLETED', output: { version: other?.minor, n: 1 } })
          await app.remove()
        },
      )
    },
  })
})
