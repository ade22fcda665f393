// Shows without a clock that a long poll got an early response: a reference poll of a worker without work starts at the same time. While it is
// held, the other poll would be held, too, without the early response.
import type { Store } from '@runyard/store'
import { playWorker } from '@runyard/testing'
import type { Stack } from './stack.ts'
import { addWorker } from './store.ts'

export interface HeldPoll extends Disposable {
  readonly isHeld: () => boolean
}

export async function holdPoll({ stack, store }: { readonly stack: Stack; readonly store: Store }, name: string): Promise<HeldPoll> {
  const endpointId = await stack.api.saveEndpoint({ name })
  const worker = playWorker({ planeUrl: stack.planeUrl, endpointId, ...(await addWorker(store, endpointId)) })
  const leaving = new AbortController()
  let held = true
  const end = (): void => {
    held = false
  }
  void worker.take({ signal: leaving.signal }).then(end, end)
  return { isHeld: () => held, [Symbol.dispose]: () => leaving.abort() }
}
