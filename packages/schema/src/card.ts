// A card (a GPU of a host) between two workers: who may have it next is decided by what the host says about its memory and processes.
import { z } from 'zod'

/** What uses a card now, as nvidia-smi says. */
export interface CardUse {
  /** Without the memory of desktop programs; null: the driver does not say. */
  readonly usedBytes: number | null
  /** False where used memory proves nothing: it is shared with the machine or with other slices, or stays used after a process ends. */
  readonly isMemoryProof: boolean
  /** Compute processes by pid and name. */
  readonly processes: readonly { readonly pid: number; readonly name: string }[]
}

/** What used a card when no worker of ours had it. */
export const CardRest = z.object({ usedBytes: z.number(), pids: z.array(z.int()) })
export type CardRest = z.infer<typeof CardRest>

const common = {
  /** The worker that had it. */
  workerId: z.string(),
  /** Epoch ms. */
  since: z.number(),
  /** When it was put into quarantine in the last day, epoch ms. */
  quarantines: z.array(z.number()).default([]),
}

/** A card that no worker holds and that no worker may have yet. A card without a claim is free, or held by a worker. */
export const CardClaim = z.discriminatedUnion('kind', [
  /** Its worker is gone. It waits for proof that nothing of the worker is left. */
  z.object({ kind: z.literal('releasing'), ...common }),
  /** There was no proof in time. It returns with the proof, after a pause. */
  z.object({ kind: z.literal('quarantined'), ...common, message: z.string() }),
  /** It is free again. Only its history is kept. */
  z.object({ kind: z.literal('free'), ...common }),
])
export type CardClaim = z.infer<typeof CardClaim>

export interface CardRecord {
  readonly uuid: string
  readonly claim?: CardClaim
  readonly rest?: CardRest
}
