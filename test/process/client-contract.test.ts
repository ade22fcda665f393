import { suiteThatNeeds } from '../harness/suite.ts'
import { clientContractSuite } from '../suites/client-contract.ts'

await suiteThatNeeds(['redis'], 'the client contract on the process host', () => {
  clientContractSuite()
})
