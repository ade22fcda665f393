import { suiteThatNeeds } from '../harness/suite.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

await suiteThatNeeds(['redis'], 'deployed apps on the process host', () => {
  deployedWorkersSuite('process')
})
