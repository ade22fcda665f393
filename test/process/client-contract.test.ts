import { suiteThatNeeds } from '../harness/suite.ts'
import { clientContractSuite } from '../suites/client-contract.ts'

await suiteThatNeeds(['redis', 'venv:runpod-1.12'], 'the client contract on the process host', () => {
  clientContractSuite()
})
