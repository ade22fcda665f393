import { suiteThatNeeds } from '../harness/suite.ts'
import { observabilitySuite } from '../suites/observability.ts'

await suiteThatNeeds(['redis'], 'what an operator sees of the process host', () => {
  observabilitySuite('process')
})
