import type { CardClaim, CardUse, Gpu } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostView } from './observed.ts'
import {
  afterProbe,
  factsOf,
  leftOn,
  nextClaim,
  releasedByOperator,
  RELEASE_WITHIN_MS,
  restOf,
  REST_TOLERANCE_BYTES,
  returnsAt,
  sightOf,
  withCardClaims,
  type CardFacts,
  type CardSight,
} from './card-claims.ts'
import { host } from './testing/plan-fixture.ts'

const card = (uuid: string): Gpu => ({ uuid, name: 'NVIDIA L4', memoryBytes: 24e9, simulated: false, healthy: true })

const MIB = 2 ** 20
const DAY = 24 * 3600 * 1000
const NOW = 10 * DAY
const idle: CardUse = { usedBytes: 0, isMemoryProof: true, processes: [] }
const python = { pid: 7, name: 'python3' }
const releasing: CardClaim = { kind: 'releasing', workerId: 'w1', since: NOW, quarantines: [] }
const quarantined: CardClaim = {
  kind: 'quarantined',
  workerId: 'w1',
  since: NOW,
  quarantines: [NOW],
  cause: 'not_released',
  message: 'left',
}
const reset = { kind: 'reset', message: 'needs a reset' } as const
const sees = (use: Partial<CardUse>): CardSight => ({ kind: 'use', use: { ...idle, ...use } })
const facts = (sight: CardSight, change: Partial<CardFacts> = {}): CardFacts => ({
  sight,
  trouble: undefined,
  holders: [],
  ...change,
})
const after = (claim: CardClaim, sight: CardSight, ms: number) => nextClaim({ uuid: 'g0', claim }, facts(sight), NOW + ms)

describe('what is left on a card', () => {
  test.each<[string, Partial<CardUse>, string | undefined]>([
    ['nothing', {}, undefined],
    ['a process', { processes: [python] }, 'it runs python3 (pid 7)'],
    ['a process that was there at rest', { processes: [{ pid: 1, name: 'other' }] }, undefined],
    ['the memory of its rest', { usedBytes: 500 * MIB + REST_TOLERANCE_BYTES }, undefined],
    ['more memory', { usedBytes: 9184 * MIB }, '9184 MiB of its memory are used without a process, at rest it is 500 MiB'],
    ['memory that proves nothing', { usedBytes: 9184 * MIB, isMemoryProof: false }, undefined],
    ['memory of unknown size', { usedBytes: null }, undefined],
  ])('%s', (_title, use, left) => {
    expect(leftOn({ ...idle, ...use }, { usedBytes: 500 * MIB, pids: [1] })).toBe(left)
  })

  test('without a known rest is everything', () => {
    expect(leftOn({ ...idle, usedBytes: REST_TOLERANCE_BYTES + 1 })).toContain('64 MiB')
  })
})

describe('a card in release', () => {
  test('is free with proof, or where its host reports no uses', () => {
    expect(after(releasing, sees({}), 1)).toBeUndefined()
    expect(after(releasing, { kind: 'unreported' }, 1)).toBeUndefined()
  })

  test('waits while its host says nothing, however long', () => {
    expect(after(releasing, { kind: 'unknown' }, 9 * RELEASE_WITHIN_MS)).toBe(releasing)
  })

  test('is in quarantine when something is left after the grace time', () => {
    expect(after(releasing, sees({ processes: [python] }), RELEASE_WITHIN_MS - 1)).toBe(releasing)
    expect(after(releasing, sees({ processes: [python] }), RELEASE_WITHIN_MS)).toEqual({
      kind: 'quarantined',
      workerId: 'w1',
      since: NOW + RELEASE_WITHIN_MS,
      quarantines: [NOW + RELEASE_WITHIN_MS],
      cause: 'not_released',
      message: 'worker w1 is gone, but the card is not free: it runs python3 (pid 7)',
    })
  })
})

describe('a card in quarantine', () => {
  test('gets its probation with proof after a pause that grows with each quarantine of a day', () => {
    expect(after(quarantined, sees({}), 9_999)).toBe(quarantined)
    expect(after(quarantined, sees({ processes: [python] }), 10_000)).toBe(quarantined)
    expect(after(quarantined, { kind: 'unknown' }, 10_000)).toBe(quarantined)
    expect(after(quarantined, sees({}), 10_000)).toEqual({ ...quarantined, kind: 'probation', since: NOW + 10_000 })
    expect(returnsAt({ ...quarantined, quarantines: [1, 2] })).toBe(NOW + 30_000)
  })

  test('stays there while a worker holds it', () => {
    expect(nextClaim({ uuid: 'g0', claim: quarantined }, facts(sees({}), { holders: ['w1'] }), NOW + DAY)).toBe(quarantined)
  })

  test('is left to the operator after three quarantines of a day, for good', () => {
    const twice: CardClaim = { ...releasing, quarantines: [NOW - 2, NOW - 1] }
    const third = nextClaim({ uuid: 'g0', claim: twice }, facts(sees({}), { trouble: reset }), NOW)
    expect(third).toMatchObject({ kind: 'quarantined', needsOperator: true, quarantines: [NOW - 2, NOW - 1, NOW] })
    expect(third && after(third, sees({}), 9 * DAY)).toBe(third)
    expect(third && releasedByOperator(third, NOW)).toEqual({ kind: 'releasing', workerId: 'w1', since: NOW, quarantines: [] })
  })

  test('is remembered for a day, also through the release of another worker', () => {
    const free: CardClaim = { kind: 'free', workerId: 'w1', since: NOW, quarantines: [NOW] }
    expect(after(free, sees({}), DAY - 1)).toBe(free)
    expect(after(free, sees({}), DAY)).toBeUndefined()
    expect(after({ ...releasing, quarantines: [NOW] }, sees({}), 5)).toMatchObject({ kind: 'free', quarantines: [NOW] })
  })
})

describe('a card that no worker of ours has left', () => {
  const found = nextClaim({ uuid: 'g0' }, facts(sees({}), { trouble: reset, hostId: 'h1' }), NOW)
  const released = found && releasedByOperator(found, NOW)

  test('has its host and no worker in its claim', () => {
    expect(found).toEqual({ kind: 'quarantined', hostId: 'h1', since: NOW, quarantines: [NOW], cause: 'reset', message: 'needs a reset' })
    expect(released).toEqual({ kind: 'releasing', since: NOW, quarantines: [] })
    expect(found && afterProbe({ ...found, kind: 'probation' } as CardClaim, { kind: 'passed' }, NOW)).toEqual({
      kind: 'free',
      since: NOW,
      quarantines: [NOW],
    })
  })

  test('goes back into quarantine if it is released and something is still on it', () => {
    expect(released && after(released, sees({ processes: [python] }), RELEASE_WITHIN_MS)).toMatchObject({
      message: 'its worker is gone, but the card is not free: it runs python3 (pid 7)',
    })
  })
})

describe('a card with a fault', () => {
  test('is in quarantine at once, held or free, and the fault does not count twice', () => {
    const found = nextClaim({ uuid: 'g0' }, facts(sees({}), { trouble: reset, holders: ['w2'] }), NOW)
    expect(found).toEqual({ kind: 'quarantined', workerId: 'w2', since: NOW, quarantines: [NOW], cause: 'reset', message: 'needs a reset' })
    expect(nextClaim({ uuid: 'g0', ...(found && { claim: found }) }, facts(sees({}), { trouble: reset }), NOW + DAY)).toBe(found)
  })

  test.each(['drain', 'fabric', 'slow', 'silent', 'layout'] as const)('of kind %s needs no quarantine', (kind) => {
    expect(nextClaim({ uuid: 'g0' }, facts(sees({}), { trouble: { kind, message: '' } }), NOW)).toBeUndefined()
  })

  test('that is worn out is left to the operator at once', () => {
    expect(nextClaim({ uuid: 'g0' }, facts(sees({}), { trouble: { kind: 'replace', message: '' } }), NOW)).toMatchObject({
      needsOperator: true,
    })
  })
})

describe('a card on probation', () => {
  const probation: CardClaim = { ...quarantined, kind: 'probation' }

  test('waits for its probe', () => {
    expect(after(probation, sees({ processes: [python] }), DAY)).toBe(probation)
    expect(nextClaim({ uuid: 'g0', claim: probation }, facts(sees({}), { trouble: reset }), NOW)).toMatchObject({ kind: 'quarantined' })
  })

  test('is free if it passes, with its history, and in a longer quarantine if it fails', () => {
    expect(afterProbe(probation, { kind: 'passed' }, NOW + 5)).toEqual({ kind: 'free', workerId: 'w1', since: NOW + 5, quarantines: [NOW] })
    const failed = afterProbe(probation, { kind: 'failed', message: 'no context' }, NOW + 5)
    expect(failed).toMatchObject({ kind: 'quarantined', cause: 'failed_probe', message: 'no context', quarantines: [NOW, NOW + 5] })
    expect(failed && returnsAt(failed)).toBe(NOW + 5 + 30_000)
    expect(afterProbe(quarantined, { kind: 'passed' }, NOW)).toBe(quarantined)
  })
})

describe('what is wrong with a card', () => {
  const seen = host('h1', [card('g0')])
  const none = { holdersOf: new Map<string, string[]>(), undying: new Set<string>() }
  const withEvent = host('h1', [{ ...card('g0'), event: { at: NOW, kind: 'reset', message: 'Xid 119' } }])
  const held = { holdersOf: new Map([['g0', ['w2', 'w1']]]), undying: new Set(['w1']) }

  test('comes from the report, the kernel, or a worker that does not end', () => {
    expect(factsOf({ uuid: 'g0' }, seen, none)).toMatchObject({ trouble: undefined, holders: [] })
    expect(factsOf({ uuid: 'g0' }, withEvent, none).trouble).toMatchObject({ message: 'Xid 119' })
    expect(factsOf({ uuid: 'g0' }, seen, held)).toMatchObject({ holders: ['w2', 'w1'], trouble: { kind: 'undying', holder: 'w1' } })
  })

  test('is old if the kernel said it before the card was judged', () => {
    expect(factsOf({ uuid: 'g0', claim: { ...releasing, kind: 'free' } }, withEvent, none).trouble).toBeUndefined()
  })
})

describe('a card that a worker left and others still share', () => {
  const others = { holders: ['w2', 'w3'], pids: [8, 9] }
  const judge = (sight: CardSight, change: Partial<CardFacts>, ms = 1) =>
    nextClaim({ uuid: 'g0', claim: releasing, rest: { usedBytes: 0, pids: [1] } }, facts(sight, { ...others, ...change }), NOW + ms)
  const inUse = sees({ usedBytes: 20_000 * MIB, processes: [1, 8, 9].map((pid) => ({ pid, name: 'python3' })) })
  const withLeft = sees({ processes: [8, 77].map((pid) => ({ pid, name: 'python3' })) })

  test('takes further workers when all its processes belong to them or to its rest, however much memory they use', () => {
    expect(judge(inUse, {})).toBeUndefined()
    expect(judge({ kind: 'unreported' }, {})).toBeUndefined()
  })

  test.each<[string, CardSight, Partial<CardFacts>]>([
    ['a process belongs to none of them', withLeft, {}],
    ['no later report has come', { kind: 'unknown' }, {}],
    ['their processes were not asked for after the report', inUse, { pids: undefined }],
    ['what was observed is older than the release', inUse, { holders: ['w1', 'w2'] }],
  ])('takes none while %s', (_title, sight, change) => {
    expect(judge(sight, change)).toBe(releasing)
  })

  test('goes into quarantine if a process of the one that left does not end', () => {
    const found = judge(withLeft, {}, RELEASE_WITHIN_MS)
    expect(found).toMatchObject({ kind: 'quarantined', cause: 'not_released', message: expect.stringContaining('pid 77') as string })
  })

  test('takes further workers with the end of the one that left, where the host cannot say which processes the others have', () => {
    expect(judge(withLeft, { pids: 'unknowable' })).toBeUndefined()
  })

  test('stays in quarantine until the last one has left', () => {
    expect(nextClaim({ uuid: 'g0', claim: quarantined }, facts(inUse, others), NOW + DAY)).toBe(quarantined)
  })
})

test('a card without a claim stays without one', () => {
  expect(nextClaim({ uuid: 'g0' }, facts(sees({})), NOW)).toBeUndefined()
})

test('no card with something left becomes free, whatever was seen before', () => {
  const sight = fc.constantFrom<CardSight>({ kind: 'unknown' }, sees({ processes: [python] }), sees({ usedBytes: 900 * MIB }))
  fc.assert(
    fc.property(fc.array(fc.tuple(sight, fc.nat(DAY / 2))), (steps) => {
      let claim: CardClaim | undefined = releasing
      let now = NOW
      for (const [seen, ms] of steps) {
        now += ms
        claim = nextClaim({ uuid: 'g0', ...(claim && { claim }) }, facts(seen), now)
        expect(['releasing', 'quarantined']).toContain(claim?.kind)
      }
    }),
  )
})

describe('what a host says about a card', () => {
  const seen = { ...host('h1', [card('g0')]), uses: { g0: idle }, usesAt: NOW + 1 }
  const faulty = {
    ...seen,
    uses: {},
    inventory: seen.inventory && { ...seen.inventory, gpus: seen.inventory.gpus.map((gpu) => ({ ...gpu, healthy: false })) },
  }
  test.each<[string, HostView | undefined, CardSight['kind']]>([
    ['a later report', seen, 'use'],
    ['a report that was begun before', { ...seen, usesAt: NOW }, 'unknown'],
    ['no uses of any card', { ...seen, uses: undefined, usesAt: undefined }, 'unreported'],
    ['a report without this card’s uses', { ...seen, uses: {} }, 'unreported'],
    ['a failed report', faulty, 'unknown'],
    ['a failed report of a kind of host without uses', { ...faulty, usesAt: undefined }, 'unknown'],
    ['no card', { ...seen, inventory: undefined }, 'unknown'],
    ['nothing, because it is not there', undefined, 'unknown'],
  ])('%s', (_title, view, kind) => {
    expect(sightOf('g0', NOW, view).kind).toBe(kind)
  })
})

test('a host without free cards has them taken or at fault', () => {
  const seen = host('h1', [card('g0'), card('g1'), card('g2')])
  const claimed = withCardClaims(
    seen,
    new Map<string, CardClaim>([
      ['g0', releasing],
      ['g1', quarantined],
    ]),
  )
  expect(claimed.releasing).toEqual(['g0'])
  expect(claimed.inventory?.gpus.map(({ healthy, fault }) => [healthy, fault])).toEqual([
    [true, undefined],
    [false, 'in quarantine: left'],
    [true, undefined],
  ])
  expect(withCardClaims(seen, new Map())).toBe(seen)
  expect(withCardClaims(seen, new Map([['other', quarantined]])).releasing).toBeUndefined()
  expect(withCardClaims({ ...seen, inventory: undefined }, new Map([['g0', releasing]])).releasing).toBeUndefined()
})

test('a card in quarantine with a fault that ends workers keeps that fault', () => {
  const faulty = (faultKind: 'lost' | 'slow'): Gpu => ({ ...card('g0'), healthy: false, faultKind })
  const claimed = (faultKind: 'lost' | 'slow') => withCardClaims(host('h1', [faulty(faultKind)]), new Map([['g0', probation]]))
  const probation: CardClaim = { ...quarantined, kind: 'probation' }
  expect(claimed('lost').inventory?.gpus).toMatchObject([{ fault: 'on probation: left', faultKind: 'lost' }])
  expect(claimed('slow').inventory?.gpus).toMatchObject([{ fault: 'on probation: left', faultKind: 'not_released' }])
})

test('the rest of a card is noted when it changes by more than a little', () => {
  const rest = { usedBytes: 100 * MIB, pids: [7] }
  expect(restOf({}, { ...idle, usedBytes: null })).toEqual({ usedBytes: 0, pids: [] })
  expect(restOf({ rest }, { ...idle, usedBytes: 110 * MIB, processes: [python] })).toBeUndefined()
  expect(restOf({ rest }, { ...idle, usedBytes: 120 * MIB, processes: [python] })).toEqual({ usedBytes: 120 * MIB, pids: [7] })
  expect(restOf({ rest }, { ...idle, usedBytes: 100 * MIB })).toEqual({ usedBytes: 100 * MIB, pids: [] })
})
