// The health loop of cards: what each fault does to the job, the worker and the card.
import { CARD_FAULTS, type CardFault, type Gpu } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isHostsFault, suspectCards, TREATMENTS, troubleOf } from './card-health.ts'
import { place } from './placement.ts'
import { plan } from './plan.ts'
import { container, endpoint, exited, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'

const NAME = 'NVIDIA GeForce RTX 4090'
const card = (uuid: string, change: Partial<Gpu> = {}): Gpu => ({
  uuid,
  name: NAME,
  memoryBytes: 24e9,
  simulated: false,
  healthy: true,
  ...change,
})
const broken = (uuid: string, faultKind: CardFault): Gpu =>
  card(uuid, { faultKind, fault: 'a fault', healthy: faultKind === 'slow' || faultKind === 'fabric' })
const worker = record('w1', { gpus: [{ uuid: 'g0', name: NAME, simulated: false }] })
const busy = view(endpoint('ep-one', { settings: { workersMax: 3 } }), { workers: [worker], leases: [lease('j1', 'w1')] })

/** One busy worker on g0; g1 is free. */
function actionsWith(g0: Gpu | undefined, state: 'running' | 'exited' = 'running', found = worker) {
  const there = state === 'exited' ? exited(found) : container(found)
  const seen = { ...host('h1', [...(g0 === undefined ? [] : [g0]), card('g1')], [there]), usesAt: NOW }
  return plan(observed([{ ...busy, workers: [found] }], [seen]), NOW).actions.map(({ kind, ...rest }) => [
    kind,
    'reason' in rest ? rest.reason : undefined,
  ])
}

test('every fault has a treatment, and a worker is ended at once only if its jobs run elsewhere', () => {
  expect(Object.keys(TREATMENTS).toSorted()).toEqual([...CARD_FAULTS].toSorted())
  for (const { job, worker: how } of Object.values(TREATMENTS)) expect(job === 'requeue').toBe(how === 'stop')
})

test.each(CARD_FAULTS)('a fault of kind %s does to a busy worker what the table says', (kind) => {
  const expected = {
    stop: [
      ['drain', 'card_failed'],
      ['start', 'jobs_waiting'],
    ],
    drain: [['drain', 'card_wears']],
    keep: [],
  }[TREATMENTS[kind].worker]
  expect(actionsWith(broken('g0', kind)).filter(([action]) => action === 'drain')).toEqual(
    expected.filter(([action]) => action === 'drain'),
  )
})

test('a card that nvidia-smi does not list any more has failed, and a slice has lost its layout', () => {
  expect(actionsWith(undefined)).toContainEqual(['drain', 'card_failed'])
  const seen = { ...host('h1', [card('g1')]), usesAt: NOW }
  expect(troubleOf('MIG-1', seen)?.kind).toBe('layout')
  expect(troubleOf('g0', { ...seen, usesAt: undefined })).toBeUndefined()
  expect(troubleOf('g0', undefined)).toBeUndefined()
})

test('a card without a fault keeps its worker', () => {
  expect(actionsWith(card('g0'))).toEqual([])
})

test('a card about which nothing is known keeps its worker', () => {
  expect(actionsWith(card('g0', { healthy: false, fault: 'nvidia-smi does not answer' }))).toEqual([])
})

test('a worker that drains for a failed card is stopped without its job, which is taken back', () => {
  const draining = { ...worker, drainingSince: NOW - 1000, retireReason: 'card_failed' as const }
  expect(actionsWith(broken('g0', 'reset'), 'running', draining).slice(0, 2)).toEqual([
    ['take-back', 'card_failed'],
    ['stop', 'card_failed'],
  ])
  expect(isHostsFault('card_failed')).toBe(true)
  expect(isHostsFault('exited')).toBe(false)
})

test('a worker that drains for a card that wears out finishes its job', () => {
  const draining = { ...worker, drainingSince: NOW - 1000, retireReason: 'card_wears' as const }
  expect(actionsWith(broken('g0', 'drain'), 'running', draining)).toEqual([])
})

test('a worker that died on a failed card died of it, which is no failed start of its endpoint', () => {
  const { readyAt: _, ...starting } = worker
  const seen = { ...host('h1', [broken('g0', 'lost'), card('g1')], [exited(starting)]), usesAt: NOW }
  const { actions } = plan(observed([{ ...busy, workers: [starting], ...waiting(1) }], [seen]), NOW)
  expect(actions).toContainEqual(expect.objectContaining({ kind: 'remove', reason: 'card_failed', isStartFailure: false }))
  expect(actions).toContainEqual(expect.objectContaining({ kind: 'take-back', reason: 'card_failed' }))
})

test('a worker that does not end keeps its card and not its place', () => {
  const draining = { ...worker, drainingSince: NOW - 90_000, retireReason: 'idle_timeout' as const }
  const one = view(endpoint('ep-one', { settings: { workersMax: 1 } }), { workers: [draining], ...waiting(1) })
  const seen = host('h1', [card('g0'), card('g1')], [container(draining)])
  const startsWith = (undying: ReadonlySet<string>) =>
    plan(observed([one], [seen], { undying }), NOW)
      .actions.filter((action) => action.kind === 'start')
      .map(({ gpus }) => gpus[0]?.uuid)
  expect(startsWith(new Set())).toEqual([])
  expect(startsWith(new Set(['w1']))).toEqual(['g1'])
})

test('no worker is placed on a card whose fault asks for quarantine or cordon, and no work of several cards on one that is fit alone', () => {
  const kind = fc.option(fc.constantFrom(...CARD_FAULTS), { nil: undefined })
  fc.assert(
    fc.property(fc.array(kind, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 3 }), (kinds, count) => {
      const isUnfit = (fault: CardFault | undefined) => fault !== undefined && !['keep', 'alone'].includes(TREATMENTS[fault].card)
      const gpus = kinds.map((fault, at) =>
        fault === undefined ? card(`g${at}`) : card(`g${at}`, { faultKind: fault, healthy: !isUnfit(fault) }),
      )
      const { spec } = endpoint('ep-one', { spec: { gpu: { pools: ['ADA_24'], excludedTypes: [], count, allowedCudaVersions: [] } } })
      const inventory = host('h1', gpus).inventory
      const placed = inventory === undefined ? undefined : place(spec, [inventory], [])
      if (placed?.kind !== 'placed') return
      for (const { uuid } of placed.gpus) {
        const fault = gpus.find((gpu) => gpu.uuid === uuid)?.faultKind
        expect(isUnfit(fault)).toBe(false)
        expect(count > 1 && fault === 'fabric').toBe(false)
      }
    }),
  )
})

test.each<[string, readonly Gpu[], readonly [string, readonly string[]][], readonly string[]]>([
  ['a healthy card', [card('g0')], [['g0', ['w1']]], []],
  ['a card with a fault that asks for quarantine', [broken('g0', 'reset')], [], ['g0']],
  ['a card with a fault that does not', [broken('g0', 'slow')], [], []],
  ['a simulated card with a fault', [{ ...broken('g0', 'reset'), simulated: true }], [], []],
  ['a kernel event about a card', [card('g0', { event: { kind: 'contained', message: 'Xid 94', at: NOW } })], [], ['g0']],
  ['a held card that is not listed any more', [], [['g0', ['w1']]], ['g0']],
  ['a card whose worker does not end', [card('g0')], [['g0', ['w1', 'undying']]], ['g0']],
])('%s may have to go into quarantine, or not', (_, gpus, holders, expected) => {
  expect(suspectCards([host('h1', gpus)], new Map(holders), new Set(['undying']))).toEqual(expected)
})

test('a card that its host calls unhealthy without a word is silent, and a host without a list of cards accuses none', () => {
  const seen = { ...host('h1', [card('g0', { healthy: false })]), usesAt: NOW }
  expect(troubleOf('g0', seen)).toEqual({ kind: 'silent', message: 'its host says nothing about it' })
  expect(troubleOf('g0', { ...seen, ...host('h1', [card('g0', { faultKind: 'reset' })]) })).toEqual({
    kind: 'reset',
    message: 'it has a fault',
  })
  expect(suspectCards([{ ...seen, inventory: undefined }], new Map(), new Set())).toEqual([])
})
