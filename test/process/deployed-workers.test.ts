import { suiteThatNeeds } from '../harness/suite.ts'
import { deployedWorkersSuite } from '../suites/deployed-workers.ts'

await suiteThatNeeds(['redis', 'venv:huggingface-hub'], 'deployed apps on the process host', () => {
  deployedWorkersSuite('process')
})
