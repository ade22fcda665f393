import { suiteThatNeeds } from '../harness/suite.ts'
import { volumesSuite } from '../suites/volumes.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'venv:flash-1.21'], 'volumes on Docker', () => {
  volumesSuite('docker')
})
