import { suiteThatNeeds } from '../harness/suite.ts'
import { flashLiveSuite } from '../suites/flash-live.ts'

await suiteThatNeeds(['redis', 'venv:flash-1.21'], 'runpod-flash 1.21 on the process host', () => {
  flashLiveSuite({ host: 'process', venv: 'flash-1.21' })
})
