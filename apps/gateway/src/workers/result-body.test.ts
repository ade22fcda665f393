// What workers post, found without building it. Over HTTP: worker-plane.test.ts.
import { expect, it } from 'vitest'
import { readChunk, readResult } from './result-body.ts'

const outcomeOf = async (text: string | Buffer) => {
  const result = await readResult(Buffer.from(text as string))
  return result.kind === 'end' ? { ...result.outcome, ...(result.stopPod ? { stopPod: true } : {}) } : result
}

it.each([
  ['{"output": {"a": 1, "a": 2}}', { status: 'COMPLETED', output: '{"a": 1, "a": 2}' }],
  ['{"output": 1e999, "stopPod": true}', { status: 'COMPLETED', output: '1e999', stopPod: true }],
  ['{}', { status: 'COMPLETED' }],
  [' [1, 2] ', { status: 'COMPLETED', output: '[1, 2]' }],
  ['{"bare": true}', { status: 'COMPLETED', output: '{"bare": true}' }],
  ['{"output": 1, "error": ""}', { status: 'COMPLETED', output: '1' }],
  ['{"output": 1, "error": {"b": [1]}}', { status: 'FAILED', output: '1', error: '{"b":[1]}' }],
  ['{"err\\u006fr": "caf\\u00e9"}', { status: 'FAILED', error: 'café' }],
  ['{"stat\\u0075s": "IN\\u005fPROGRESS", "output": 5}', { kind: 'progress', output: '5' }],
  ['{"status": "IN_PROGRESS"}', { kind: 'progress', output: 'null' }],
  ['{"output": NaN}', { status: 'COMPLETED', output: 'null' }],
  ['[Infinity, -Infinity, NaN]', { status: 'COMPLETED', output: '[null, null, null]' }],
  ['{"NaN": "Infinity \\" NaN", "b": NaN}', { status: 'COMPLETED', output: '{"NaN": "Infinity \\" NaN", "b": null}' }],
  ['{"output": ["\\\\", NaN]}', { status: 'COMPLETED', output: '["\\\\", null]' }],
  ['NaN', { status: 'COMPLETED', output: 'null' }],
])('%s', async (text, expected) => {
  expect(await outcomeOf(text)).toEqual(expected)
})

it.each(['{"a": NaNa}', '{broken', 'NaN NaN', '["unclosed NaN', '-NaN', `{"output":${'['.repeat(1000)}${']'.repeat(1000)}}`])(
  'fails a job for %.30s',
  async (text) => {
    expect(await outcomeOf(text)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('not JSON') })
  },
)

it('takes bytes that are no UTF-8 for unknown letters', async () => {
  const text = Buffer.from('{"output":"x\xff"}', 'latin1')
  expect(await outcomeOf(text)).toEqual({ status: 'COMPLETED', output: '"x\ufffd"' })
})

it('replaces half of a surrogate pair in an error, and leaves an output as it is', async () => {
  const text = String.raw`{"output":"\ud800","error":"boom \ud800 \ud83d\ude00"}`
  expect(await outcomeOf(text)).toEqual({ status: 'FAILED', output: String.raw`"\ud800"`, error: 'boom \ufffd 😀' })
})

it('cuts an error that is longer than any traceback, also in the middle of an escape', async () => {
  for (const pad of ['', 'x', 'xx', 'xxx', 'xxxx', 'xxxxx']) {
    const { error = '' } = (await outcomeOf(JSON.stringify({ error: `${pad}${'\u0001'.repeat(300_000)}` }))) as { error?: string }
    const [start = '', left] = error.split(' … ')
    expect(left).toMatch(/^\(cut: \d+ bytes in all\)$/)
    expect(new Set(start.slice(pad.length))).toEqual(new Set('\u0001'))
  }
})

it('reads a large body in slices, between which others have their turn', async () => {
  const large = Buffer.from(`{"output":{${Array.from({ length: 200_000 }, (_, n) => `"k${n}":[${n}]`).join()}}}`)
  let turns = 0
  const count = (): void => {
    turns += 1
    turning = setImmediate(count)
  }
  let turning = setImmediate(count)
  const { output } = (await outcomeOf(large)) as { output?: Uint8Array }
  clearImmediate(turning)
  expect(Buffer.from(output ?? []).equals(large.subarray('{"output":'.length, -1))).toBe(true)
  expect(turns).toBeGreaterThan(10)
})

it.each([
  ['{"output":1}', '{"output":1}'],
  ['{"output":1,"metrics":{}}', '{"output":1,"metrics":{}}'],
  ['"text"', '{"output":"text"}'],
  ['{"token":"a"}', '{"output":{"token":"a"}}'],
  ['broken', undefined],
])('a chunk %s is %s to its readers', async (text, expected) => {
  expect(await readChunk(Buffer.from(text))).toBe(expected)
})
