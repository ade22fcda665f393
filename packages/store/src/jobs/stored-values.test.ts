// The value of a record is cut off and not parsed: it comes back byte for byte, whatever the texts before it say.
import { asJson, type JobOutcome, type JobSubmission } from '@runyard/schema'
import { expect, test } from 'vitest'
import { packOutcome, packSubmission, readStoredOutcome, readStoredSubmission, textOf } from './stored-values.ts'

const TRICKY = ',"input":{},"output":1,'

test('of a submission', () => {
  const input = asJson('{ "a" : 1e999, "a":18446744073709551616, "input":"\\u0000" }')
  const submission: JobSubmission = {
    id: 'a',
    input,
    sync: false,
    policy: { ttlMs: 1 },
    keyId: TRICKY,
    webhook: { url: `https://x.test/${TRICKY}`, ownerId: TRICKY },
    s3Config: asJson(`{"x":1,"input":{"y":[]},"z":"${TRICKY.replaceAll('"', '\\"')}"}`),
  }
  const text = textOf(packSubmission(submission))
  expect(JSON.parse(text)).toMatchObject({ id: 'a', input: { input: '\u0000' } })
  const read = readStoredSubmission(text)
  expect({ ...read.submission, input: read.input }).toEqual(submission)
})

test('of an outcome, and of one without a value', () => {
  const outcomes: readonly JobOutcome[] = [
    { status: 'FAILED', error: TRICKY, output: asJson('[ 1.0 , {"output":2} ]') },
    { status: 'FAILED', error: TRICKY },
    { status: 'COMPLETED', output: asJson('{}'), timings: { enteredAt: 5 } },
  ]
  for (const outcome of outcomes) expect(readStoredOutcome(textOf(packOutcome(outcome))).outcome).toEqual(outcome)
})

test('bytes are stored as their text', () => {
  const outcome: JobOutcome = { status: 'COMPLETED', output: asJson(new Uint8Array(Buffer.from('"é"'))) }
  expect(textOf(packOutcome(outcome))).toBe('{"status":"COMPLETED","output":"é"}')
})
