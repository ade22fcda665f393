// Settings of load-balanced endpoints (ADR 70).
import { z } from 'zod'

export const LoadBalancingConfig = z.object({
  names: z
    .array(z.string())
    .default(['localhost', 'api.localhost'])
    .describe('base names: a request to <endpoint>.<name> goes to that endpoint; each needs a wildcard in your DNS, localhost has one'),
  holdS: z.coerce
    .number()
    .min(1)
    .default(300)
    .describe('how long a request waits for a worker; Runpod gives up after 120, and the SDK’s first call waits for 300'),
  requestS: z.coerce.number().min(1).default(330).describe('how long a worker may take for one request; not for WebSockets'),
  bodyBytes: z.coerce
    .number()
    .int()
    .min(1)
    .default(30 * 1024 * 1024)
    .describe('largest request body, and largest response, of a load-balanced endpoint'),
})
