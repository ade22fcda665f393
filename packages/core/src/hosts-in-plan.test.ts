import { expect, test } from 'vitest'
import type { HostView, Observed } from './observed.ts'
import { endpoint, gpu, host, NOW, observed, view, waiting } from './plan-fixture.ts'
import { plan } from './plan.ts'

const WAITS = [view(endpoint('ep-one'), waiting(1))]
const started = (world: Observed) => plan(world, NOW).actions.flatMap((action) => (action.kind === 'start' ? [action.hostId] : []))
const statusOf = (world: Observed) => plan(world, NOW).statuses.get('ep-one')
const closed = (id: string, unready: string): HostView => ({ ...host(id, [gpu(`${id}-0`)]), unready })

test('a host that is not prepared gets no worker: the next one does', () => {
  expect(started(observed(WAITS, [closed('h1', 'is being prepared'), host('h2', [gpu('b')])]))).toEqual(['h2'])
})

test('where no other host is there, the status says what the host is doing', () => {
  const world = observed(WAITS, [closed('h1', 'is being prepared (pulling python)')])
  expect(statusOf(world)).toMatchObject({ throttled: 1, reason: 'hosts_closed', message: 'host h1 is being prepared (pulling python)' })
})

test('where the other hosts refuse, it says that, too', () => {
  const world = observed(WAITS, [host('h1', []), closed('h2', 'cannot be prepared: No engine answers.')])
  expect(statusOf(world)).toMatchObject({
    reason: 'no_matching_gpu',
    message: expect.stringMatching(/^no host has a GPU .*; host h2 cannot be prepared: No engine answers\.$/) as string,
  })
})
