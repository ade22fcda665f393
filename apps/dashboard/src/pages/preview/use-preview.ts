import { useEffect, useState } from 'react'
import type { Preview, PreviewInput } from '@runyard/core/preview'

export interface PreviewState {
  /** Of the latest inputs that were simulated, in their order. */
  readonly previews: readonly Preview[]
  readonly isRunning: boolean
}

/** Simulates the inputs in worker threads; what still runs for earlier ones is stopped. `inputs` must keep its identity. */
export function usePreviews(inputs: readonly PreviewInput[] | undefined): PreviewState {
  const [state, setState] = useState<PreviewState>({ previews: [], isRunning: true })
  useEffect(() => {
    if (inputs === undefined) return undefined
    setState(({ previews }) => ({ previews, isRunning: true }))
    const workers = inputs.map(() => new Worker(new URL('./preview.worker.ts', import.meta.url), { type: 'module' }))
    void Promise.all(workers.map((worker, at) => ask(worker, inputs[at]))).then((previews) => setState({ previews, isRunning: false }))
    return () => {
      for (const worker of workers) worker.terminate()
    }
  }, [inputs])
  return state
}

function ask(worker: Worker, input: PreviewInput | undefined): Promise<Preview> {
  return new Promise((resolve) => {
    worker.addEventListener('message', ({ data }: MessageEvent<Preview>) => {
      worker.terminate()
      resolve(data)
    })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has only its page
    worker.postMessage(input)
  })
}
