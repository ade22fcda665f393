import { RunyardError } from '@runyard/schema'
import { expect, it } from 'vitest'
import { retryWhileAway } from './store-outage.ts'

const away = new RunyardError('store_unavailable', 'away')
const { signal } = new AbortController()

it('tries until it is written, and says which try may repeat another', async () => {
  const tries: boolean[] = []
  const written = retryWhileAway((isRepeat) => (tries.push(isRepeat) < 3 ? Promise.reject(away) : Promise.resolve('written')), signal)
  expect(await written).toBe('written')
  expect(tries).toEqual([false, true, true])
})

it('gives up when it was held for long enough, when the gateway stops, and at once for anything else', async () => {
  await expect(retryWhileAway(() => Promise.reject(away), signal, 300)).rejects.toBe(away)
  await expect(retryWhileAway(() => Promise.reject(away), AbortSignal.abort())).rejects.toBe(away)
  await expect(retryWhileAway(() => Promise.reject(new Error('bug')), signal)).rejects.toThrow('bug')
})
