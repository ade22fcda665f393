import { z } from 'zod'

/** Spans of jobs, off by default. */
export const TracesConfig = z.object({
  endpoint: z
    .url({ protocol: /^https?$/, error: 'an http or https URL such as http://127.0.0.1:4318' })
    .optional()
    .describe(
      'OTLP receiver (HTTP, JSON) for the spans of jobs, e.g. http://127.0.0.1:4318; /v1/traces is appended. Default: none are sent',
    ),
  headers: z.record(z.string(), z.string()).default({}).describe('headers of these requests, e.g. a credential'),
})

/** W3C Trace Context, version 00: trace, parent span, flags. */
export const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
