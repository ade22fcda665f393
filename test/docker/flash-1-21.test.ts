import { suiteThatNeeds } from '../harness/suite.ts'
import { flashLiveSuite } from '../suites/flash-live.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'venv:flash-1.21'], 'runpod-flash 1.21 on Docker', () => {
  flashLiveSuite({ host: 'docker', venv: 'flash-1.21' })
})
