import { expect, it } from 'vitest'
import { aborted } from './aborted.ts'

it('resolves when the signal aborts, and at once if it has already aborted', async () => {
  const stop = new AbortController()
  const waiting = aborted(stop.signal)
  stop.abort()
  await waiting
  await expect(aborted(stop.signal)).resolves.toBeUndefined()
})
