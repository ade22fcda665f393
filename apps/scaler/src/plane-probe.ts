// Checks whether workers can report: the worker plane must answer and its gateway must reach Redis. While they cannot, silent workers and expired
// leases prove nothing, and the plan waits until workers have had time to report again.
import { createContinuity } from './continuity.ts'

const PROBE_EVERY_MS = 2000
const ANSWER_WITHIN_MS = 5000
const LONGEST_GAP_MS = 15_000

/** Probes each of `baseUrls`. One that answers is sufficient, because behind a balancer any gateway accepts any worker's report. */
export function openPlaneProbe(baseUrls: readonly string[]) {
  const seen = createContinuity(LONGEST_GAP_MS)
  let isAsking = false
  const probe = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    if ((await Promise.all(baseUrls.map(hears))).includes(true)) seen.note(Date.now())
    else seen.lose()
    isAsking = false
  }
  const timer = setInterval(() => void probe(), PROBE_EVERY_MS)
  void probe()
  return {
    /** Epoch ms since when they can; undefined: they cannot. */
    upSince: (): number | undefined => seen.since(Date.now()),
    [Symbol.dispose]: () => {
      clearInterval(timer)
    },
  }
}

async function hears(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/healthz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    return ((await response.json()) as { readonly redis?: unknown }).redis === 'up'
  } catch {
    return false
  }
}
