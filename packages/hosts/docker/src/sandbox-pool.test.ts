import { beforeEach, expect, it } from 'vitest'
import { LABELS } from './container-spec.ts'
import { createSandboxPool, type ListedContainer, type SandboxPool } from './sandbox-pool.ts'

let now: number
let pool: SandboxPool
beforeEach(() => {
  now = 1000
  pool = createSandboxPool(() => now)
  pool.want(2)
})

const make = (id: string) => pool.making(async () => id)
const sandbox = (Id: string, change: { owner?: string; State?: string } = {}): ListedContainer => ({
  Id,
  State: change.State ?? 'running',
  Labels: { [LABELS.sandbox]: change.owner ?? pool.owner },
  HostConfig: { NetworkMode: 'runyard' },
})
const worker = (Id: string, joined?: string, State = 'running'): ListedContainer => ({
  Id,
  State,
  Labels: { [LABELS.worker]: Id },
  HostConfig: { NetworkMode: joined === undefined ? 'runyard' : `container:${joined}` },
})
const NONE = { stray: [], stranded: [] }

it('gives each sandbox to one worker only, and wants another one for it', async () => {
  await make('a')
  await make('b')
  expect(pool.lacks()).toBe(false)
  expect([pool.give(), pool.give(), pool.give()]).toEqual(['a', 'b', undefined])
  expect(pool.lacks()).toBe(true)
})

it('lets go of all that are not wanted any more, and of none that it gave away', async () => {
  await make('a')
  await make('b')
  pool.give()
  pool.want(0)
  expect([pool.takeSurplus(), pool.takeSurplus(), pool.give()]).toEqual([['b'], [], undefined])
})

it('keeps its ready sandboxes, and every sandbox that a worker has joined, its own or not', async () => {
  await make('a')
  expect(pool.judge([sandbox('a'), sandbox('b', { owner: 'earlier' }), worker('w', 'b')], now + 1)).toEqual(NONE)
})

it.each([
  ['of an earlier scaler', () => sandbox('x', { owner: 'earlier' })],
  ['of an earlier scaler that was never started', () => sandbox('x', { owner: 'earlier', State: 'created' })],
  ['of its own that it does not know', () => sandbox('x')],
])('removes a sandbox that no worker has joined: one %s', (_, listed) => {
  expect(pool.judge([listed()], now).stray).toEqual(['x'])
})

it('takes a sandbox that is being made for no stray', async () => {
  const made = Promise.withResolvers<string>()
  const making = pool.making(() => made.promise)
  expect(pool.judge([sandbox('a')], now + 1)).toEqual(NONE)
  made.resolve('a')
  await making
  expect(pool.give()).toBe('a')
})

it('removes one that it gave away only once the start has ended without a worker that joined it', async () => {
  await make('a')
  pool.give()
  expect(pool.judge([sandbox('a')], now + 10)).toEqual(NONE)
  now += 20
  pool.settle('a')
  // Asked before the start ended, so the worker may be there by now.
  expect(pool.judge([sandbox('a')], now)).toEqual(NONE)
  expect(pool.judge([sandbox('a'), worker('w', 'a')], now + 1)).toEqual(NONE)
  expect(pool.judge([sandbox('a')], now + 2).stray).toEqual(['a'])
})

it('gives away none that has ended, or that somebody removed', async () => {
  await make('a')
  await make('b')
  expect(pool.judge([sandbox('a', { State: 'exited' })], now + 1).stray).toEqual(['a'])
  expect([pool.lacks(), pool.give()]).toEqual([true, undefined])
})

it('does not count one as gone that was made after the listing was requested', async () => {
  await make('a')
  pool.judge([], now)
  expect(pool.give()).toBe('a')
})

it('finds running workers that have lost their network, and only those', () => {
  const containers = [
    sandbox('dead', { State: 'exited' }),
    worker('one', 'dead'),
    worker('two', 'gone'),
    worker('ended', 'dead', 'exited'),
    worker('other'),
  ]
  const { stray, stranded } = pool.judge(containers, now)
  expect([stray, stranded.map(({ Id }) => Id)]).toEqual([[], ['one', 'two']])
})

it('judges nothing while another scaler leads', () => {
  pool.want(undefined)
  expect(pool.judge([sandbox('x', { owner: 'other' }), worker('w', 'gone')], now)).toEqual(NONE)
})
