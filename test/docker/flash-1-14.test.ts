import { suiteThatNeeds } from '../harness/suite.ts'
import { flashLiveSuite } from '../suites/flash-live.ts'

await suiteThatNeeds(['redis', 'docker', 'worker-image', 'venv:flash-1.14'], 'runpod-flash 1.14 on Docker', () => {
  flashLiveSuite({ host: 'docker', venv: 'flash-1.14' })
})
