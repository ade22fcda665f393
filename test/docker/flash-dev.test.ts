import { suiteThatNeeds } from '../harness/suite.ts'
import { flashDevSuite } from '../suites/flash-dev.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'venv:flash-1.21'], 'flash dev on Docker', () => {
  flashDevSuite('docker')
})
