import { suiteThatNeeds } from '../harness/suite.ts'
import { noiseSuite } from '../suites/noise.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'noise on a Docker host', () => {
  noiseSuite('docker')
})
