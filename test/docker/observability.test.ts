import { suiteThatNeeds } from '../harness/suite.ts'
import { observabilitySuite } from '../suites/observability.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'what an operator sees of Docker', () => {
  observabilitySuite('docker')
})
