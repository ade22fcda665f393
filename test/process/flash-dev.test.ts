import { suiteThatNeeds } from '../harness/suite.ts'
import { flashDevSuite } from '../suites/flash-dev.ts'

await suiteThatNeeds(['redis', 'venv:flash-1.21'], 'flash dev on the process host', () => {
  flashDevSuite('process')
})
