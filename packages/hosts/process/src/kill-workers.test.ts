import { lifeOf } from '@runyard/kit'
import { expect, it } from 'vitest'
import { livingGroup } from './kill-workers.ts'

const ours = { instanceId: 'us', pid: process.pid, life: lifeOf(process.pid) }

it('names the process group of a living worker', () => {
  expect(livingGroup(JSON.stringify(ours), 'us')).toBe(process.pid)
})

it.each([
  ['pid 1, which to kill means all processes', { ...ours, pid: 1, life: lifeOf(1) }],
  ['pid 0, our own group', { ...ours, pid: 0, life: 'x' }],
  ['a negative pid', { ...ours, pid: -process.pid }],
  ['a fraction', { ...ours, pid: 1.5 }],
  ['a text', { ...ours, pid: `${process.pid}` }],
  ['another life of the pid', { ...ours, life: '1' }],
  ['no life', { instanceId: 'us', pid: process.pid }],
  ['a worker that has ended', { ...ours, exit: { exitCode: 0 } }],
  ['a worker of another install', { ...ours, instanceId: 'them' }],
  ['no object', 7],
])('names none for %s', (_title, record) => {
  expect(livingGroup(JSON.stringify(record), 'us')).toBeUndefined()
})

it('names none for half a file', () => {
  expect(livingGroup('{"pid":', 'us')).toBeUndefined()
})
