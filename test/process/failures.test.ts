import { suiteThatNeeds } from '../harness/suite.ts'
import { failuresSuite } from '../suites/failures.ts'

await suiteThatNeeds(['redis'], 'failures on the process host', () => {
  failuresSuite('process')
})
