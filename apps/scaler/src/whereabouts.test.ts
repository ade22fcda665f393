import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { LeaderFacts } from '@runyard/store'
import { expect, test } from 'vitest'
import { lifeOf } from '@runyard/kit'
import { isSeenGone, ownWhereabouts } from './whereabouts.ts'

const here = { machine: 'm', dataDir: '/d', since: 1, pid: process.pid, ...ownWhereabouts() } satisfies LeaderFacts

test.runIf(process.platform === 'linux')(
  'a leader is seen gone once its process is dead or its pid another’s, in the same process table',
  async () => {
    const child = spawn('sleep', ['60'])
    const theirs = { ...here, pid: child.pid ?? 0, life: lifeOf(child.pid ?? 0) ?? '' }
    expect([isSeenGone(here), isSeenGone(theirs)]).toEqual([false, false])
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isSeenGone(theirs)).toBe(true)
    expect(isSeenGone({ ...here, life: '1' })).toBe(true)
    expect(isSeenGone({ ...theirs, processTable: 'elsewhere' })).toBe(false)
    expect(isSeenGone({ ...theirs, processTable: '', life: '' })).toBe(false)
  },
)
