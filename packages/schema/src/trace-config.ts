import { z } from 'zod'

/** Spans of jobs, off by default. */
export const TracesConfig = z
  .object({
    endpoint: z
      .url({ protocol: /^https?$/, error: 'an http or https URL such as http://127.0.0.1:4318' })
      .optional()
      .describe(
        'OTLP receiver (HTTP, JSON) for the spans of jobs, e.g. http://127.0.0.1:4318; /v1/traces is appended. Default: none are sent',
      ),
    headers: z
      .record(z.string(), z.string(), 'headers are lines of a name and a text')
      .refine(
        (headers) => Object.entries(headers).every(isHeader),
        'a header has a name of letters, digits and "-", and a text of one line',
      )
      .default({})
      .describe('headers of these requests, e.g. a credential'),
  })
  .refine(({ endpoint, headers }) => endpoint !== undefined || Object.keys(headers).length === 0, {
    path: ['headers'],
    error: 'they go to traces.endpoint, which is not set',
  })

function isHeader([name, value]: readonly [string, string]): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/u.test(name) && !/[\r\n\0]/u.test(value)
}

/** W3C Trace Context, version 00: trace, parent span, flags. */
export const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
