import type Docker from 'dockerode'
import { expect, it } from 'vitest'
import { lastingOf } from './observed.ts'

const NEVER = '0001-01-01T00:00:00Z'
const RAN = '2026-03-04T09:12:44.5Z'
const of = (change: Partial<Docker.ContainerInspectInfo['State']>) =>
  lastingOf({
    Status: 'running',
    StartedAt: RAN,
    FinishedAt: NEVER,
    ExitCode: 0,
    OOMKilled: false,
    ...change,
  } as Docker.ContainerInspectInfo['State'])

it('a container that is removed because its start was refused has not exited', () => {
  for (const Status of ['created', 'removing', 'dead'])
    expect(of({ Status, StartedAt: NEVER, ExitCode: 128 })).toMatchObject({ state: 'created' })
})

it('one that ran has exited while it is being removed, too', () => {
  const exit = { exitCode: 137, oomKilled: false, at: Date.parse(RAN) }
  for (const Status of ['exited', 'removing', 'dead'])
    expect(of({ Status, ExitCode: 137, FinishedAt: RAN })).toMatchObject({ state: 'exited', exit })
  expect(of({})).toMatchObject({ state: 'running', startedAt: Date.parse(RAN), exit: undefined })
})
