import { suiteThatNeeds } from '../harness/suite.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'deployed apps on Docker', () => {
  deployedWorkersSuite('docker')
})
