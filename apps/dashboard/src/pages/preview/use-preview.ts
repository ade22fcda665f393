import { useEffect, useState } from 'react'
import type { Preview, PreviewInput } from '@runyard/core/preview'
// oxlint-disable-next-line import/default -- Vite makes it the address of the built thread
import threadUrl from './preview.worker.ts?worker&url'

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
    const workers = inputs.map(() => startThread())
    void Promise.all(workers.map((worker, at) => ask(worker, inputs[at]))).then((previews) => setState({ previews, isRunning: false }))
    return () => {
      for (const worker of workers) worker.terminate()
    }
  }, [inputs])
  return state
}

/** TypeScript does not know it yet; a trusted address is given where a text is expected. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(url: string): string }
}

/** The page names a script in this one place alone (ADR 88). Browsers without Trusted Types take the address as it is. */
const trusted = (window as { readonly trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('runyard', {
  createScriptURL: () => threadUrl,
})

const startThread = (): Worker => new Worker(trusted?.createScriptURL('') ?? threadUrl, { type: 'module' })

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
