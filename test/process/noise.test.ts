import { suiteThatNeeds } from '../harness/suite.ts'
import { noiseSuite } from '../suites/noise.ts'

await suiteThatNeeds(['redis'], 'noise on the process host', () => {
  noiseSuite('process')
})
