import type { HostRecord } from '@runyard/schema'
import { expect, test } from 'vitest'
import { explainPlacement } from './explain-placement.ts'
import { bytesToFree, diskError, lowDisk } from './image-disk.ts'
import { place, type OpenHost } from './placement.ts'
import { plan } from './plan.ts'
import { DEFAULT_PLAN_POLICY } from './observed.ts'
import { endpoint, gpu, host, NOW, observed, view, waiting } from './testing/plan-fixture.ts'

const GB = 1e9
const space = (freeBytes: number) => ({ path: '/var/lib/docker', freeBytes, totalBytes: 100 * GB })

test.each([
  [undefined, 5 * GB, undefined],
  [space(5 * GB), 5 * GB, undefined],
  [space(0), 0, undefined],
  [space(4.2 * GB), 5 * GB, '4.2 GB of 100.0 GB are free on the disk of /var/lib/docker, and images.keepFreeBytes keeps 5.0 GB free'],
])('a disk with %j pulls while %d bytes stay free', (found, keep, sentence) => {
  expect(lowDisk(found, keep)).toBe(sentence)
})

test('what a disk lacks is what has to be removed until the host pulls again', () => {
  expect([undefined, space(9 * GB), space(2 * GB)].map((found) => bytesToFree(found, 5 * GB))).toEqual([0, 0, 3 * GB])
})

test('a pull that fills the disk is broken off with its own words', () => {
  expect(diskError('big:1', 'it is full', 'during').message).toContain('The image big:1 is not pulled to its end, because it is full')
})

test('the refusal is about the disk and says what to do', () => {
  expect(diskError('big:1', 'it is full')).toMatchObject({
    fault: 'disk',
    message: 'The image big:1 is not pulled, because it is full: remove images that nothing uses, or lower that setting.',
  })
})

const openHost = (hostId: string, change: Partial<OpenHost>): OpenHost => {
  const { inventory } = host(hostId, [gpu(`${hostId}-g`)])
  if (inventory === undefined) throw new Error('a host of the fixture has an inventory')
  return { ...inventory, ...change }
}
const { spec } = endpoint('ep-one', { spec: { image: 'big:1' } })

test('a host with too little free disk gets only workers whose image it has', () => {
  const full = openHost('full', { lowDisk: 'it is full' })
  const roomy = openHost('roomy', {})
  expect(place(spec, [full, roomy], [])).toMatchObject({ kind: 'placed', hostId: 'roomy' })
  expect(place(spec, [openHost('full', { lowDisk: 'it is full', images: new Set(['big:1']) })], [])).toMatchObject({ hostId: 'full' })
  expect(place(spec, [full], [])).toEqual({
    kind: 'refused',
    reason: 'not_enough_disk',
    message: 'the image big:1 cannot be pulled: on full it is full',
  })
})

test('a worker without a place for want of disk is throttled, and its status names the disk', () => {
  const full = { ...host('h1', [gpu('g1')]), disk: space(GB) }
  const world = observed([view(endpoint('ep-one'), waiting(1, 1000))], [full], {
    policy: { ...DEFAULT_PLAN_POLICY, keepFreeBytes: 5 * GB },
  })
  const { actions, statuses } = plan(world, NOW)
  expect(actions.filter(({ kind }) => kind === 'start')).toEqual([])
  expect(statuses.get('ep-one')).toMatchObject({ throttled: 1, reason: 'not_enough_disk', message: expect.stringContaining('1.0 GB of') })
})

test('explain names the disk only of hosts that do not have the image', () => {
  const { inventory } = host('h1', [gpu('g1')])
  const sight: HostRecord['sight'] = {
    health: 'ready',
    label: 'box',
    kind: 'docker',
    at: NOW,
    claims: {},
    lowDisk: 'it is full',
    ...(inventory && { inventory }),
  }
  const ask = (withoutImage: ReadonlySet<string>) =>
    explainPlacement({ spec, hosts: [{ hostId: 'h1', sight }], holdings: [], holders: new Map(), withoutImage, now: NOW })[0]?.refusal
      ?.reason
  expect(ask(new Set(['box']))).toBe('not_enough_disk')
  expect(ask(new Set())).toBeUndefined()
})
