// Shows without a clock that a long poll got an early response: a reference poll of a worker without work starts at the same time. While it is
// held, the other poll would be held, too, without the early response.
import { randomBytes } from 'node:crypto'
import type { Store } from '@runyard/store'
import { newWorkerRecord } from './sdk-worker.ts'
import type { Stack } from './stack.ts'

export interface HeldPoll extends Disposable {
  readonly isHeld: () => boolean
}

export async function holdPoll({ stack, store }: { readonly stack: Stack; readonly store: Store }, name: string): Promise<HeldPoll> {
  const endpointId = await stack.api.saveEndpoint({ name })
  const id = `w${randomBytes(6).toString('hex')}`
  await store.workers.create(await newWorkerRecord(store, endpointId, id))
  const headers = { authorization: await store.workerToken(endpointId, id) }
  const leaving = new AbortController()
  let held = true
  const end = (): void => {
    held = false
  }
  void fetch(`${stack.planeUrl}/v2/${endpointId}/job-take/${id}?gpu=none`, { headers, signal: leaving.signal }).then(end, end)
  return { isHeld: () => held, [Symbol.dispose]: () => leaving.abort() }
}
