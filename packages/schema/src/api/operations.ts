// Every operation of the public listener, by method and route.
import { aliases, JOB_OPERATIONS } from './job-operations.ts'
import { LOAD_BALANCING_OPERATIONS } from './load-balancing-operations.ts'
import type { Operations } from './operation.ts'
import { REST_OPERATIONS } from './rest-operations.ts'
import { SERVICE_OPERATIONS } from './service-operations.ts'
import { V1_OPERATIONS } from './v1-operations.ts'

export const OPERATIONS: Operations = {
  ...JOB_OPERATIONS,
  ...LOAD_BALANCING_OPERATIONS,
  ...REST_OPERATIONS,
  ...V1_OPERATIONS,
  ...aliases(V1_OPERATIONS, 'AtRest', (key) => key.replace(' /v1/', ' /rest/v1/')),
  ...SERVICE_OPERATIONS,
}
