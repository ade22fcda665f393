import { expect, it } from 'vitest'
import { aborted } from './aborted.ts'

it('is over when the signal aborts, and at once where it has aborted before', async () => {
  const stop = new AbortController()
  const waiting = aborted(stop.signal)
  stop.abort()
  await waiting
  await expect(aborted(stop.signal)).resolves.toBeUndefined()
})
