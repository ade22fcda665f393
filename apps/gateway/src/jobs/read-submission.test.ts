import { expect, it } from 'vitest'
import { readWaitMs } from '../http/query.ts'
import { readSubmission } from './read-submission.ts'

const read = (body: unknown) => readSubmission(Buffer.from(JSON.stringify(body)), ORIGIN)
const ORIGIN = { sync: false, key: { id: 'k', ownerId: 'o' }, isAllowed: () => true }

it.each([
  [{ executionTimeout: 1 }, { executionTimeoutMs: 5000 }],
  [{ executionTimeout: 1e12 }, { executionTimeoutMs: 604_800_000 }],
  [{ executionTimeout: 0, ttl: -5 }, {}],
  [{ ttl: 1 }, { ttlMs: 10_000 }],
  [{ ttl: 60_000.4 }, { ttlMs: 60_000 }],
  [{ lowPriority: true, unknown: 1 }, { lowPriority: true }],
  [null, {}],
])('a policy %j is read as %j', async (policy, expected) => {
  expect((await read({ input: 1, policy })).policy).toEqual(expected)
})

it.each([{ policy: [1] }, { policy: { ttl: 'x' } }, { policy: { lowPriority: 'yes' } }, { webhook: 1 }, { s3Config: [] }])(
  'refuses %j with a sentence',
  async (fields) => {
    await expect(read({ input: 1, ...fields })).rejects.toThrow(/must be/)
  },
)

it.each([
  [
    'keeps the input byte for byte',
    '{"input": {"a" : 1e999, "a":18446744073709551616,"é":"\\u0000"} }',
    '{"a" : 1e999, "a":18446744073709551616,"é":"\\u0000"}',
  ],
  ['takes the last of several', '{"input":1,"input":{"input":2},"x":{"input":3}}', '{"input":2}'],
  ['reads escapes in names', '{"\\u0069np\\u0075t":[ ]}', '[ ]'],
  ['takes no prototype for a member', '{"__proto__":{"input":1},"input":2}', '2'],
])('%s', async (_title, body, input) => {
  expect((await readSubmission(Buffer.from(body), ORIGIN)).input).toBe(input)
})

it.each([
  ['{"input":1,"input":null}', 'must have the key "input"'],
  [`{"input":1,"policy":{${'"a":1,'.repeat(20_000)}"b":1}}`, '"policy" may be 65536 bytes long'],
  ['{"input":1}x', 'not valid JSON'],
  [`{"input":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'nested 1000 levels deep'],
])('refuses %.40s in words', async (body, sentence) => {
  await expect(readSubmission(Buffer.from(body), ORIGIN)).rejects.toThrow(sentence)
})

it.each([
  ['', 90_000],
  ['abc', 90_000],
  ['1', 1000],
  ['-5', 1000],
  ['1500.4', 1500],
  ['999999', 300_000],
  ['1e400', 300_000],
])('a wait of "%s" is read as %i ms', (wait, expected) => {
  expect(readWaitMs({ query: { wait } }, 90_000)).toBe(expected)
})
