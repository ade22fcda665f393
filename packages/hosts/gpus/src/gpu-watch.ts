// The GPUs of one host, read again and again. What was seen stays on the list: if a later report fails or does not come, the same GPUs are listed as
// unhealthy with the reason, because an empty list would say that the host has none. A report that hangs is awaited by one caller at a time.
import { setTimeout as delay } from 'node:timers/promises'
import { readGpuInventory, runLocally, type GpuInventory, type RunCommand } from './read-gpus.ts'

export interface GpuWatchOptions {
  /** One sentence per change in what is wrong. */
  readonly warn: (message: string) => void
  /** Runs nvidia-smi on the host; default: on this machine. */
  readonly run?: RunCommand | undefined
  /** A report that takes longer counts as failed; default 25 s. */
  readonly answerWithinMs?: number | undefined
}

export interface SeenGpus extends Pick<GpuInventory, 'gpus' | 'cudaVersion' | 'uses'> {
  /** When the latest report that came was begun, epoch ms; absent: none came, so the list of GPUs says nothing about others. */
  readonly usesAt?: number
}

const ANSWER_WITHIN_MS = 25_000

export function createGpuWatch({ warn, run = runLocally, answerWithinMs = ANSWER_WITHIN_MS }: GpuWatchOptions): () => Promise<SeenGpus> {
  let last: SeenGpus = { gpus: [], uses: {}, cudaVersion: null }
  let warned = ''
  /** A driver that hangs in the kernel holds its process for good, and every further one. */
  let running: Promise<GpuInventory> | undefined
  let begunAt = 0

  async function report(): Promise<GpuInventory> {
    begunAt = running === undefined ? Date.now() : begunAt
    running ??= readGpuInventory(run).finally(() => {
      running = undefined
    })
    const given = new AbortController()
    const late = delay(answerWithinMs, undefined, { ref: false, signal: given.signal }).then(() => hung(answerWithinMs))
    late.catch(() => undefined)
    try {
      return await Promise.race([running, late])
    } finally {
      given.abort()
    }
  }

  return async () => {
    const seen = await report()
    if (seen.warnings.join() !== warned) seen.warnings.forEach(warn)
    warned = seen.warnings.join()
    if (!seen.hasFailed) last = seen.isThere ? { ...seen, usesAt: begunAt } : seen
    const fault = seen.warnings[0] ?? 'nvidia-smi failed'
    const { gpus, cudaVersion, uses, usesAt } = last
    return {
      cudaVersion,
      uses,
      ...(usesAt === undefined ? {} : { usesAt }),
      gpus: seen.hasFailed ? gpus.map((gpu) => ({ ...gpu, healthy: false, fault })) : gpus,
    }
  }
}

function hung(ms: number): GpuInventory {
  const sentence = `nvidia-smi does not answer for ${Math.round(ms / 1000)} s`
  return { gpus: [], uses: {}, cudaVersion: null, hasFailed: true, isThere: true, warnings: [sentence] }
}
