import type { FoundJob } from '@runyard/schema/api'
import { expect, it } from 'vitest'
import { isJobId } from '../../ui/format.ts'
import { jobsOf, readJobFilter, toCommand, toSearch, without } from './job-filter.ts'

const RANGE = { from: 0, to: 3_600_000 }

it('reads what an address has of a filter', () => {
  const search = { endpoint: 'sd', status: 'FAILED', q: 12345, key: '', worker: ' w1 ', range: '1h', nonsense: 1 }
  expect(readJobFilter(search)).toEqual({ endpoint: 'sd', status: 'FAILED', q: '12345', worker: 'w1' })
  expect(readJobFilter({ status: 'LOST', error: {} })).toEqual({})
  expect(without({ endpoint: 'sd', status: 'FAILED' }, 'status')).toEqual({ endpoint: 'sd' })
})

it('asks for what ended in the range, and for what has not ended where the range ends now', () => {
  expect(toSearch({ q: 'x' }, { ...RANGE, span: '1h' })).toEqual({ q: 'x', since: 0 })
  expect(toSearch({}, RANGE)).toEqual({ since: 0, until: 3_600_000 })
})

it('writes the command that lists the same', () => {
  expect(toCommand({ endpoint: 'my sd', status: 'IN_QUEUE' }, { ...RANGE, span: '24h' })).toBe(
    `runyard jobs 'my sd' --status in_queue --since 24h`,
  )
  expect(toCommand({ error: `it's full`, worker: 'w1', key: 'k1', q: 'a b' }, RANGE)).toBe(
    `runyard jobs --since 1970-01-01T00:00:00.000Z --until 1970-01-01T01:00:00.000Z --key k1 --worker w1 --error 'it'\\''s full' --grep 'a b'`,
  )
})

it('knows a whole id from a part', () => {
  expect(isJobId('1fc94455-1c1e-4a0b-9d77-5b8f0a6f2f11-u1')).toBe(true)
  expect(isJobId('1fc94455')).toBe(false)
  expect(isJobId('CUDA out of memory')).toBe(false)
})

const job = (id: string, submittedAt: number, status: FoundJob['status']): FoundJob => ({
  id,
  submittedAt,
  status,
  endpoint: { id: 'e1', name: 'caption' },
  retries: 0,
})
const shown = (...pages: readonly (readonly FoundJob[])[]) =>
  jobsOf(pages.map((jobs) => ({ jobs: [...jobs], nextCursor: null }))).map(({ id, status }) => `${id} ${status}`)

it('shows a retried job once, as its newest life is', () => {
  expect(shown([job('j1', 20, 'IN_QUEUE'), job('j2', 5, 'FAILED')], [job('j1', 10, 'FAILED')])).toEqual(['j1 IN_QUEUE', 'j2 FAILED'])
})

it('shows a job that ended between two pages as it ended', () => {
  expect(shown([job('j1', 20, 'IN_PROGRESS')], [job('j1', 20, 'COMPLETED')])).toEqual(['j1 COMPLETED'])
})
