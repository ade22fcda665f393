import { suiteThatNeeds } from '../harness/suite.ts'
import { sdkClientsSuite } from '../suites/sdk-clients.ts'

await suiteThatNeeds(
  ['redis', 'venv:runpod-1.12', 'venv:runpod-1.7', 'venv:runpod-2.0', 'venv:flash-1.21'],
  'clients on the process host',
  () => {
    sdkClientsSuite('process')
  },
)
