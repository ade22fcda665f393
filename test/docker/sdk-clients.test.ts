import { suiteThatNeeds } from '../harness/suite.ts'
import { sdkClientsSuite } from '../suites/sdk-clients.ts'

await suiteThatNeeds(
  ['redis', 'docker', 'worker-image', 'venv:runpod-1.12', 'venv:runpod-1.7', 'venv:runpod-2.0', 'venv:flash-1.21'],
  'clients on Docker',
  () => {
    sdkClientsSuite('docker')
  },
)
