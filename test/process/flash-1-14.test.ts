import { suiteThatNeeds } from '../harness/suite.ts'
import { flashLiveSuite } from '../suites/flash-live.ts'

await suiteThatNeeds(['redis', 'venv:flash-1.14'], 'runpod-flash 1.14 on the process host', () => {
  flashLiveSuite({ host: 'process', venv: 'flash-1.14' })
})
