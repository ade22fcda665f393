import { expect, test } from 'vitest'
import { pinnedDigestOf, pinnedImageOn, withPinnedImage } from './pinned-image.ts'
import { rolledBack, withGoodRelease } from './release.ts'
import { endpoint } from './testing/plan-fixture.ts'

const saved = { ...endpoint('ep-one', { spec: { image: 'me/model:latest' } }), updatedAt: 100 }
const A = { hostId: 'h1', id: 'sha256:a', digest: 'me/model@sha256:a' }
const B = { hostId: 'h2', id: 'sha256:b', digest: 'me/model@sha256:b' }

test('all hosts start what the tag referred to at the first start of a release', () => {
  expect(pinnedImageOn(saved, 'h1')).toBeUndefined()
  const pinned = withPinnedImage(withPinnedImage(saved, A), B)
  expect([pinnedImageOn(pinned, 'h1'), pinnedImageOn(pinned, 'h2')]).toEqual([A.digest, A.digest])
})

test('an image that no registry gave is pinned by its id on each host', () => {
  const pinned = withPinnedImage(withPinnedImage(saved, { ...A, digest: undefined }), { ...B, digest: undefined })
  expect([pinnedImageOn(pinned, 'h1'), pinnedImageOn(pinned, 'h2'), pinnedImageOn(pinned, 'h3')]).toEqual([
    'sha256:a',
    'sha256:b',
    undefined,
  ])
})

test.each([
  ['a save', { updatedAt: 200 }],
  ['a retry', { retriedAt: 200 }],
])('%s reads the tag again', (_, change) => {
  const pinned = { ...withPinnedImage(saved, A), ...change }
  expect(pinnedImageOn(pinned, 'h1')).toBeUndefined()
  expect(pinnedDigestOf(pinned)).toBeUndefined()
  expect(pinnedImageOn(withPinnedImage(pinned, B), 'h1')).toBe(B.digest)
  expect(pinnedDigestOf(withPinnedImage(pinned, B))).toBe(B.digest)
})

test('a roll-back runs the image that was good, wherever its tag refers to by now', () => {
  const good = withGoodRelease(withPinnedImage(saved, A), { at: 150 })
  const failed = { ...withPinnedImage({ ...good, updatedAt: 200 }, B), specHash: 'spec-2' }
  const after = rolledBack(failed, { message: 'it exited with 1', at: 300 })
  expect(after === undefined ? 'none' : pinnedImageOn(after, 'h1')).toBe(A.digest)
})
