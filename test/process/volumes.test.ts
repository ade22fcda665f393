import { suiteThatNeeds } from '../harness/suite.ts'
import { volumesSuite } from '../suites/volumes.ts'

await suiteThatNeeds(['redis', 'venv:flash-1.21', 'venv:runpod-2.0'], 'volumes on the process host', () => {
  volumesSuite('process')
})
