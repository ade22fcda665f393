import type { HeldImage, PulledImage } from '@runyard/schema'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeImages, type ImageLook } from './image-prune.ts'

const NOW = 1_000_000
const pulled = (name: string, usedAgo = 0): PulledImage => ({ name, imageId: `id-${name}`, pulledAt: 1, usedAt: NOW - usedAgo })
const held = (name: string, change: Partial<HeldImage> = {}): HeldImage => ({
  name,
  imageId: `id-${name}`,
  bytes: 10,
  isUsed: false,
  ...change,
})
const look = (change: Partial<ImageLook>): ImageLook => ({
  pulled: [],
  held: [],
  named: new Set(),
  keepMs: 1000,
  keepBytes: Infinity,
  needBytes: 0,
  now: NOW,
  ...change,
})
const removedBy = (change: Partial<ImageLook>) => judgeImages(look(change)).remove.map(({ name, why }) => `${name} ${why}`)

const three = { pulled: [pulled('a', 5), pulled('b', 50), pulled('c', 500)], held: [held('a'), held('b'), held('c')] }

test.each<[string, Partial<ImageLook>, readonly string[]]>([
  ['is young', three, []],
  ['has been unused for long enough', { ...three, keepMs: 50 }, ['c age', 'b age']],
  ['is used by a container', { ...three, keepMs: 0, held: three.held.map((one) => ({ ...one, isUsed: true })) }, []],
  ['is named by an endpoint', { ...three, keepMs: 0, named: new Set(['a', 'b', 'c']) }, []],
  ['was replaced by its owner', { ...three, keepMs: 0, held: three.held.map((one) => ({ ...one, imageId: 'other' })) }, []],
  ['is there, but Runyard did not pull it', { held: [held('x')], keepMs: 0, keepBytes: 0, needBytes: 100 }, []],
  ['makes unused images take too much', { ...three, keepBytes: 15 }, ['c size', 'b size']],
  ['is least recently used while the disk is full', { ...three, needBytes: 1 }, ['c disk']],
  ['frees what age has not freed', { ...three, keepMs: 100, needBytes: 15 }, ['c age', 'b disk']],
])('of an image that %s', (_, change, removed) => {
  expect(removedBy(change)).toEqual(removed)
})

test('an image in use is recorded as used now, and one that is gone is forgotten', () => {
  const seen = { pulled: [pulled('a', 500), pulled('gone', 5)], held: [held('a', { isUsed: true })] }
  expect(judgeImages(look(seen)).pulled).toEqual([pulled('a')])
})

test('an image in use, or that Runyard did not pull, is never removed', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd')
  const world = fc.record({
    pulled: fc.uniqueArray(fc.record({ name, usedAgo: fc.nat(2000) }), { selector: ({ name: of }) => of }),
    held: fc.uniqueArray(fc.record({ name, isUsed: fc.boolean(), bytes: fc.nat(100) }), { selector: ({ name: of }) => of }),
    named: fc.array(name),
    keepBytes: fc.nat(200),
    needBytes: fc.nat(200),
  })
  fc.assert(
    fc.property(world, (seed) => {
      const found = look({
        pulled: seed.pulled.map(({ name: of, usedAgo }) => pulled(of, usedAgo)),
        held: seed.held.map(({ name: of, ...more }) => held(of, more)),
        named: new Set(seed.named),
        keepBytes: seed.keepBytes,
        needBytes: seed.needBytes,
      })
      for (const { name: of } of judgeImages(found).remove) {
        expect(found.named.has(of)).toBe(false)
        expect(found.held.find((one) => one.name === of)?.isUsed).toBe(false)
        expect(found.pulled.some((one) => one.name === of)).toBe(true)
      }
    }),
  )
})
