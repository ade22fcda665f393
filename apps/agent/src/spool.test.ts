// The spool on a real disk: order, bounds, and what the next agent finds.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { directory, it } from '@runyard/testing/directory'
import { openSpool, type SpoolEntry } from './spool.ts'

const open = (limitBytes = 100_000) => openSpool({ directory, limitBytes })
const chunk = (body: string, jobId = 'j1'): SpoolEntry => ({
  kind: 'chunk',
  jobId,
  post: 'p1',
  isStream: true,
  timings: undefined,
  body: Buffer.from(body),
})
const done = (body: string, jobId = 'j1'): SpoolEntry => ({ ...chunk(body, jobId), kind: 'done', timings: { enteredAt: 1, returnedAt: 2 } })

it('gives back what it got, in order and byte for byte', () => {
  const spool = open()
  const entries = [chunk('one\n\0two'), chunk(''), done('{"output": "ä"}')]
  for (const entry of entries) expect(spool.add(entry)).toBe(true)
  for (const entry of entries) {
    expect(spool.first()).toEqual(entry)
    spool.dropFirst()
  }
  expect([spool.isEmpty(), spool.first(), readdirSync(directory)]).toEqual([true, undefined, []])
})

it('takes no more than fits, small ones counted as what they take on disk, but one entry always', () => {
  const spool = open(10_000)
  expect(spool.add(chunk('x'.repeat(50_000)))).toBe(true)
  expect(spool.add(chunk('y'))).toBe(false)
  spool.dropFirst()
  expect([spool.add(chunk('y')), spool.add(chunk('y')), spool.add(chunk('y'))]).toEqual([true, true, false])
})

it('refuses, and does not throw, where the disk does', () => {
  const file = join(directory, 'no-directory')
  writeFileSync(file, '')
  const spool = openSpool({ directory: join(file, 'below'), limitBytes: 10 })
  expect([spool.add(done('x')), spool.isEmpty()]).toEqual([false, true])
})

it('opened again it has the finished job, and neither half-written files nor chunks of a job that did not finish', () => {
  const before = open()
  before.add(chunk('lost', 'unfinished'))
  before.add(chunk('one'))
  before.add(done('two'))
  writeFileSync(join(directory, '0000000009.part'), 'half')
  const after = open()
  expect(after.finishedJobs()).toEqual(['j1'])
  expect(after.first()).toEqual(chunk('one'))
  after.dropFirst()
  after.add(chunk('three'))
  expect(after.first()).toEqual(done('two'))
})

it('skips what user code has removed', () => {
  const spool = open()
  for (const entry of [chunk('gone'), done('there')]) spool.add(entry)
  rmSync(join(directory, '0000000001'))
  expect(spool.first()).toEqual(done('there'))
  rmSync(directory, { recursive: true })
  expect([spool.first(), spool.isEmpty(), spool.add(chunk('new'))]).toEqual([undefined, true, true])
})

it('forgets a job that is not wanted any more', () => {
  const spool = open()
  for (const entry of [chunk('a'), chunk('b', 'j2'), done('c')]) spool.add(entry)
  spool.dropJob('j1')
  expect(spool.first()).toEqual(chunk('b', 'j2'))
  expect(readdirSync(directory)).toHaveLength(1)
})
