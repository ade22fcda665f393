// What the fuzz sends to a route: good and bad values of everything that a request is made of, in any combination.
import * as fc from 'fast-check'
import type { KnownRoute } from './route-table.ts'

/** Values that a route may find by their parameter's name. */
export type GoodValues = Readonly<Record<string, string>>

export interface FuzzRequest {
  readonly line: string
  readonly headers: readonly string[]
  readonly body: string
}

const LONG = 'x'.repeat(600)
const ODD_SEGMENTS = [
  '%00',
  '%',
  '%zz',
  '%ff%fe',
  '..',
  '%2e%2e%2f',
  '__proto__',
  'constructor',
  'null',
  '-1',
  '0',
  // Keys that stand beside a job's in Redis.
  'wait',
  'meta',
  'r:workers',
  'x:lock',
  LONG,
  '%F0%9F%98%80',
  'a b',
  '{}',
  ';',
  '*',
]

const ODD_NUMBERS = ['-1', '0', '1e309', 'NaN', '9007199254740993', '1.5', '', ' ', 'abc', '1000']
const QUERY_NAMES = [
  'wait',
  'ttl',
  'tail',
  'limit',
  'batch_size',
  'job_id',
  'status',
  'gpu',
  'from',
  'to',
  'type',
  'api_key',
  'cursor',
  'since',
  '__proto__',
]

const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth)
const aliases = Array.from({ length: 3000 }, (_, n) => `a${n}: myself { id }`).join(' ')
const deepQuery = `{ myself ${'{ endpoints '.repeat(300)}{ id }${' }'.repeat(300)} }`
const fragments = 'query { ...a } fragment a on Query { ...b } fragment b on Query { ...a }'
const INTROSPECTION = '{ __schema { types { fields { type { ofType { ofType { name } } } } } } }'

const ODD_BODIES = [
  '',
  ' ',
  'null',
  'true',
  '0',
  '"x"',
  '[]',
  '{',
  '{"input":',
  '{"input":{}}',
  '{"input":null,"policy":7}',
  '{"input":{},"policy":{"ttl":-1,"executionTimeout":1e308}}',
  '{"input":1,"webhook":"file:///etc/passwd"}',
  '{"input":1,"policy":{"ttl":"soon"},"s3Config":[]}',
  '{"output":1}',
  '{"status":"IN_PROGRESS"}',
  '{"error":{"__proto__":null}}',
  '{"__proto__":{"input":1},"constructor":{"prototype":{"x":1}}}',
  '{"name":"x","image":"","workers":{"min":-1,"max":"many"}}',
  '{"name":"x","gpu":{"types":[null],"count":1e9}}',
  '{"output": NaN}',
  `{"input":${nested(50_000, '[', ']')}}`,
  `{"output":${nested(5000, '{"a":', '}').replace(':}', ':1}')},"input":[]}`,
  `{"input":{},"output":${nested(980, '[', ']')}}`,
  '\u0000\u0001\uFFFF',
  '\uFEFF{"input":1}',
  '{"input":"\\ud800"}',
  `{"input":"${'y'.repeat(300_000)}"}`,
  JSON.stringify({ query: `{ ${aliases} }` }),
  JSON.stringify({ query: deepQuery }),
  JSON.stringify({ query: fragments }),
  JSON.stringify({ query: `{ myself(a: ${'['.repeat(50_000)}) { id } }` }),
  JSON.stringify({ query: INTROSPECTION }),
  JSON.stringify({ query: 'mutation { saveEndpoint(input: { name: "", gpuIds: 7 }) { id } }' }),
  JSON.stringify({ query: '{ myself { id } }', variables: [], operationName: {} }),
  JSON.stringify({ query: '{ myself { id } }'.repeat(2000) }),
  JSON.stringify([{ query: '{ myself { id } }' }]),
]

const ODD_HEADERS = [
  'Content-Type: text/html; charset=\u00ff',
  'Content-Type: application/json; charset=utf-16',
  'Content-Type: multipart/form-data; boundary=',
  'Content-Type: ',
  'Content-Encoding: gzip',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Expect: 100-continue',
  'Expect: miracles',
  'Upgrade: websocket',
  'Accept: \u0001',
  'Range: bytes=0-',
  'Origin: null',
  'X-Forwarded-For: ::::',
  'Idempotency-Key: ',
  `Idempotency-Key: ${LONG}`,
  'X-Runyard-Timings: {"enteredAt":"x","returnedAt":[]}',
  'User-Agent: RunPod-Python-SDK/',
  `Cookie: ${'c'.repeat(20_000)}`,
  'Host: evil.example:99999',
  ' folded: header',
  'No colon here',
]

const AUTHORIZATIONS = ['', 'Bearer ', 'Bearer wrong', 'Basic Og==', 'Bearer \u00ff\u00fe', `Bearer ${'t'.repeat(5000)}`]

const queryString = fc
  .array(
    fc.tuple(
      fc.constantFrom(...QUERY_NAMES),
      fc.oneof(fc.constantFrom(...ODD_NUMBERS, ...ODD_SEGMENTS), fc.webQueryParameters({ size: 'xsmall' })),
    ),
    {
      maxLength: 3,
    },
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${value.replaceAll(' ', '+')}`).join('&')}`))

const content = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD_BODIES) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: fc.json().map((json) => `{"input":${json},"name":${json}}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

/** A good request but for its body, once with each odd one. */
export function oddBodiesTo(
  route: KnownRoute,
  { good, authorization }: { good: GoodValues; authorization: string },
): readonly FuzzRequest[] {
  if (isBodiless(route.method)) return []
  const path = route.url.replaceAll(/:(\w+)/g, (_, name: string) => good[name] ?? 'x')
  return ODD_BODIES.map((odd) => ({
    line: `${route.method} ${path} HTTP/1.1`,
    headers: [`Authorization: ${authorization}`, 'Content-Type: application/json'],
    body: odd,
  }))
}

function isBodiless(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Requests to one route. `authorization` is the good one for it. */
export function requestsTo(
  route: KnownRoute,
  { good, authorization }: { good: GoodValues; authorization: string },
): fc.Arbitrary<FuzzRequest> {
  const path = fc
    .tuple(
      ...route.url
        .split('/')
        .map((part) =>
          part.startsWith(':')
            ? fc.oneof(
                { weight: 3, arbitrary: fc.constant(good[part.slice(1)] ?? 'x') },
                { weight: 1, arbitrary: fc.constantFrom(...ODD_SEGMENTS) },
              )
            : fc.constant(part),
        ),
    )
    .map((parts) => parts.join('/').replaceAll(' ', '%20'))
  const authorized = fc.oneof(
    { weight: 5, arbitrary: fc.constant(authorization) },
    { weight: 1, arbitrary: fc.constantFrom(...AUTHORIZATIONS) },
  )
  const headers = fc.array(fc.constantFrom(...ODD_HEADERS), { maxLength: 2 })
  return fc.record({ path, query: queryString, authorized, headers, body: content }).map((parts) => ({
    line: `${route.method} ${parts.path}${parts.query} HTTP/1.1`,
    headers: [`Authorization: ${parts.authorized}`, ...parts.headers],
    body: isBodiless(route.method) ? '' : parts.body,
  }))
}

/** With a length of its own, unless the headers name one. */
export function toBytes({ line, headers, body }: FuzzRequest): Buffer {
  const bytes = Buffer.from(body)
  const isFramed = headers.some((header) => /^(?:content-length|transfer-encoding):/i.test(header))
  const own = ['Host: fuzz', 'Connection: close', ...(isFramed || bytes.length === 0 ? [] : [`Content-Length: ${bytes.length}`])]
  return Buffer.concat([Buffer.from(`${[line, ...own, ...headers].join('\r\n')}\r\n\r\n`, 'latin1'), bytes])
}
