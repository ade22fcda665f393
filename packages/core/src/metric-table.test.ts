import { expect, test } from 'vitest'
import { METRICS } from './metric-table.ts'

const ROWS = Object.entries(METRICS)

test('names end with what they are: counters with _total, and only counters; times in seconds, sizes in bytes', () => {
  for (const [name, { kind }] of ROWS) {
    expect(name).toMatch(/^runyard_[a-z0-9_]+$/)
    expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter'])
    expect(name).not.toMatch(/_(ms|milliseconds|mib|kb|percent)(_|$)/)
  }
})

test('an endpoint is named by both labels, in one order, and no label names a job, a key or a moment', () => {
  for (const [name, { labels }] of ROWS) {
    expect([name, labels.includes('endpoint')]).toEqual([name, labels.includes('endpoint_id')])
    expect([-1, labels.indexOf('endpoint') + 1]).toContain(labels.indexOf('endpoint_id'))
    expect(labels.filter((label) => /job|key|token|time|url/.test(label))).toEqual([])
  }
  expect(ROWS.filter(([, { labels }]) => labels.includes('worker')).map(([name]) => name)).toEqual(['runyard_gpu_assigned'])
})

test('each row has a help in one sentence, known labels only in its lists, and rising buckets only in histograms', () => {
  for (const [name, { help, labels, values = {}, kind, buckets }] of ROWS) {
    expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Z1].*\.$/)])
    expect(labels).toEqual(expect.arrayContaining(Object.keys(values)))
    expect([name, buckets !== undefined]).toEqual([name, kind === 'histogram'])
    expect(buckets ?? []).toEqual((buckets ?? []).toSorted((a, b) => a - b))
  }
})
