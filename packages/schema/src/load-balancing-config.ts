// Settings of load-balanced endpoints, and of what their clients need: TLS (ADR 70), and CORS for web pages.
import { z } from 'zod'
import { text, waitS } from './setting-kinds.ts'

/** Lower case, as browsers write it. Labels below an address lead nowhere. */
const baseName = z
  .string()
  .toLowerCase()
  .regex(
    /^(?!.*\.\d+$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u,
    'a name is written like gpu.example.com, without scheme, port or *',
  )

export const LoadBalancingConfig = z.object({
  names: z
    .array(baseName)
    .default(['localhost', 'api.localhost'])
    .describe('base names: a request to <endpoint>.<name> goes to that endpoint; each needs a wildcard in your DNS, localhost has one'),
  holdS: waitS()
    .default(300)
    .describe('how long a request waits for a worker; Runpod gives up after 120, and the SDK’s first call waits for 300'),
  requestS: waitS().default(330).describe('how long a worker may take for one request; not for WebSockets'),
  bodyBytes: z.coerce
    .number()
    .int()
    .min(1)
    .default(30 * 1024 * 1024)
    .describe('largest request body, and largest response, of a load-balanced endpoint'),
})

const tlsPort = z.coerce.number().int().min(0).max(65_535)

/** The public listener by TLS, beside the plain one. */
export const TlsConfig = z.object({
  port: tlsPort.optional().describe('port of the public listener by TLS, e.g. 8443; 0 picks a free one; default: no TLS'),
  name: baseName
    .default('api.localhost')
    .describe('name of this machine in the URL of jobs that `runyard env` prints; <endpoint>.<name> must lead here, too'),
  cert: text().optional().describe('file of a certificate and its chain (PEM); default: one of Runyard’s own CA'),
  key: text().optional().describe('file of its key (PEM)'),
})

export const CorsConfig = z.object({
  origins: z
    .array(z.string())
    .default([])
    .describe(
      'web pages that may call the job plane and load-balanced endpoints from a browser, e.g. https://app.example.com, or * for all; default: none',
    ),
})
