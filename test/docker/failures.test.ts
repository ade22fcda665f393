import { suiteThatNeeds } from '../harness/suite.ts'
import { failuresSuite } from '../suites/failures.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'failures on Docker', () => {
  failuresSuite('docker')
})
