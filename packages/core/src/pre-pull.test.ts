import type { Build, HostInventory, ImagePull } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointStatus, HostView } from './observed.ts'
import { askerFacts, hostsToPrePull, prePullFacts, pullsToBegin, withPulls, withMayStart, type Asker, type PullView } from './pre-pull.ts'
import { endpoint, gpu, host, NOW } from './testing/plan-fixture.ts'

const box = host('box', [gpu('g1')])
const without = (change: Partial<HostView>): HostView => ({ ...box, ...change })
const ofProcesses = without({
  inventory: box.inventory && { ...box.inventory, capabilities: { ...box.inventory.capabilities, runsImages: false } },
})
const asking = (view: Asker['view'] = {}, found = endpoint('ep-one')): Asker => ({ endpoint: found, view })

test.each<[string, HostView, readonly string[]]>([
  ['is open', box, ['box']],
  ['rests', without({ rest: { what: 'host', count: 1, lastAt: NOW, message: 'x' } }), ['box']],
  ['does not answer', without({ workers: undefined }), []],
  ['is being prepared', without({ unready: 'is being prepared' }), []],
  ['is cordoned', without({ cordon: { since: 1, reason: 'a fan' } }), []],
  ['has not reported yet', without({ inventory: undefined }), []],
  ['runs processes', ofProcesses, []],
  ['has other GPUs only', host('box', [gpu('g1', 'NVIDIA L4')]), []],
])('a host that %s pulls the images that it may need', (_, found, hosts) => {
  expect(hostsToPrePull(asking(), [found])).toEqual(hosts)
})

const BUILD: Build = {
  id: 'b1',
  ownerId: 'owner',
  appId: 'app',
  artifactId: 'a',
  objectKey: 'k',
  kind: 'flash',
  pythonVersion: '3.12',
  sizeBytes: 1,
  sha256: 'f'.repeat(64),
  createdAt: 1,
}
const VOLUME = { id: 'v', name: 'models', dataCenterId: null, storeId: 'host other' }

test.each<[string, Partial<HostInventory>, Asker['view']]>([
  ['the container runtime of its workers', { runtimes: ['runc'] }, { runtime: 'runsc' }],
  ['the Python of its app', { pythons: ['3.11'] }, { deployment: { kind: 'build', build: BUILD } }],
  ['the data of its volume', {}, { volumes: [[VOLUME]] }],
])('a host that lacks %s does not pull the image of an endpoint, and pulls it once it has that', (_, has, needs) => {
  const lacking = without({ inventory: box.inventory && { ...box.inventory, ...has } })
  expect(hostsToPrePull(asking(needs), [lacking])).toEqual([])
  expect(hostsToPrePull(asking(), [lacking])).toEqual(['box'])
  const mended = { ...has, runtimes: ['runc', 'runsc'], pythons: ['3.11', '3.12'], volumes: { shared: true } }
  expect(prePullFacts([without({ inventory: box.inventory && { ...box.inventory, ...mended } })])).not.toBe(prePullFacts([lacking]))
  expect(askerFacts(asking(needs))).not.toBe(askerFacts(asking()))
})

test('the image of an endpoint without workers is not pulled, and one in use counts as a place', () => {
  expect(hostsToPrePull(asking({}, endpoint('ep-one', { settings: { workersMax: 0 } })), [box])).toEqual([])
  const busy = without({ cardsOfOthers: ['g1'] })
  expect(hostsToPrePull(asking(), [busy])).toEqual(['box'])
})

test('the facts of hosts change with what decides, and not with what runs there', () => {
  const facts = prePullFacts([box])
  expect(prePullFacts([without({ observedAt: 7, inventory: box.inventory && { ...box.inventory, gpus: [...box.inventory.gpus] } })])).toBe(
    facts,
  )
  expect(prePullFacts([without({ cordon: { since: 1, reason: 'a fan' } })])).not.toBe(facts)
  expect(prePullFacts([host('box', [gpu('g1'), gpu('g2')])])).not.toBe(facts)
})

test('no host ever pulls more images at once than it may, and none that is not due', () => {
  const pull = fc.record({ hostId: fc.constantFrom('a', 'b'), isRunning: fc.boolean(), dueAt: fc.integer({ min: 0, max: 20 }) })
  fc.assert(
    fc.property(fc.array(pull), fc.integer({ min: 1, max: 4 }), (pulls, atOnce) => {
      const begun = pullsToBegin(pulls, { atOnce, now: 10 })
      expect(begun.filter(({ isRunning, dueAt }) => isRunning || dueAt > 10)).toEqual([])
      for (const hostId of ['a', 'b']) {
        const here = pulls.filter((one) => one.hostId === hostId)
        const running = here.filter(({ isRunning }) => isRunning).length
        const due = here.filter(({ isRunning, dueAt }) => !isRunning && dueAt <= 10).length
        expect(begun.filter((one) => one.hostId === hostId)).toHaveLength(Math.min(due, Math.max(0, atOnce - running)))
      }
    }),
  )
})

test('the pull that is due the longest comes first', () => {
  const pulls = [3, 1, 2].map((dueAt) => ({ hostId: 'a', isRunning: false, dueAt }))
  expect(pullsToBegin(pulls, { atOnce: 2, now: 10 }).map(({ dueAt }) => dueAt)).toEqual([1, 2])
})

const QUIET: EndpointStatus = { throttled: 0, unhealthy: 0, reason: undefined, message: undefined, nextTryAt: undefined }
const pullOf = <S extends PullView['state']>(state: S, more: Partial<ImagePull> = {}) => ({ image: 'big:1', host: 'box', state, ...more })
const failed = pullOf('failed', { reason: 'registry_refused', message: 'no', nextTryAt: 5 })

test('an image that is on every host adds nothing to the status', () => {
  expect(withPulls(QUIET, [pullOf('present')])).toBe(QUIET)
})

test('pulls that are under way are listed and are no reason', () => {
  expect(withPulls(QUIET, [pullOf('present'), pullOf('pulling')])).toEqual({ ...QUIET, pulls: [pullOf('pulling')] })
})

test('a failed pull is the reason only if the image is nowhere and nothing else is wrong', () => {
  expect(withPulls(QUIET, [failed, pullOf('waiting')])).toMatchObject({ reason: 'registry_refused', message: 'no', nextTryAt: 5 })
  expect(withPulls(QUIET, [failed, pullOf('present')])).toMatchObject({ reason: undefined, pulls: [failed] })
  expect(withPulls({ ...QUIET, reason: 'gpus_busy' }, [failed])).toMatchObject({ reason: 'gpus_busy', pulls: [failed] })
})

test('of an image that was not looked for yet nothing is said, and it is not called missing', () => {
  expect(withPulls(QUIET, [pullOf('looking')])).toBe(QUIET)
  expect(withPulls(QUIET, [failed, pullOf('looking')])).toMatchObject({ reason: undefined, pulls: [failed] })
})

test.each<[string, readonly ImagePull[], Partial<EndpointStatus>, number]>([
  ['no image is needed', [], {}, 3],
  ['one host has the image', [pullOf('present'), failed], {}, 3],
  ['no host has it yet', [pullOf('pulling')], {}, 0],
  ['some of them are throttled or unhealthy', [pullOf('present')], { throttled: 1, unhealthy: 1 }, 1],
  ['all of them are', [pullOf('present')], { throttled: 4 }, 0],
])('workers start without a pull where %s', (_, pulls, status, mayStart) => {
  expect(withMayStart({ ...QUIET, ...status }, pulls, 3)).toMatchObject({ mayStart })
})
