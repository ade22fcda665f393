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
  /** Of a whole card: what it does now, as far as the driver says; absent: of a slice. */
  readonly load?: CardLoad
  /** The last Xid of the kernel's log since the scaler runs; absent: none, or the log cannot be read. */
  readonly lastXid?: number
}

/** null: the driver does not say. */
export interface CardLoad {
  /** Share of time in which it computed, 0 to 1. */
  readonly utilization: number | null
  readonly temperatureC: number | null
  readonly powerW: number | null
  readonly powerLimitW: number | null
  /** Uncorrectable errors of its memory since the driver was loaded; absent or null: it has no ECC. */
  readonly eccErrors?: number | null
}

/** What used a card when no worker of ours had it. */
export const CardRest = z.object({ usedBytes: z.number(), pids: z.array(z.int()) })
export type CardRest = z.infer<typeof CardRest>

/** Signs that something is wrong with a card. What each asks for is decided by a table (`TREATMENTS` in core). */
export const CARD_FAULTS = [
  // what nvidia-smi says about it, worst first
  'lost',
  'reboot',
  'replace',
  'reset',
  'drain',
  'fabric',
  'slow',
  // what shows in other ways
  'missing',
  'layout',
  'contained',
  'silent',
  'not_released',
  'undying',
  'failed_probe',
] as const
export const CardFault = z.enum(CARD_FAULTS)
export type CardFault = z.infer<typeof CardFault>

const common = {
  /** The worker that had it last; absent: none that is known. */
  workerId: z.string().optional(),
  /** Where it was when it went into quarantine. */
  hostId: z.string().optional(),
  /** Epoch ms. */
  since: z.number(),
  /** When it was put into quarantine in the last day, epoch ms. */
  quarantines: z.array(z.number()).default([]),
}

/** Why a card is out of use. */
const fault = {
  cause: CardFault.default('not_released'),
  message: z.string(),
  /** Only the operator ends it. */
  needsOperator: z.boolean().optional(),
}

/** A card that no worker may have now. A card without a claim is free, or held by a worker. */
export const CardClaim = z.discriminatedUnion('kind', [
  /** Its worker is gone. It waits for proof that nothing of the worker is left. */
  z.object({ kind: z.literal('releasing'), ...common }),
  /** It has a fault, or there was no proof in time. A worker may still hold it. It gets its probation after a pause, once nothing is wrong any more. */
  z.object({ kind: z.literal('quarantined'), ...common, ...fault }),
  /** Nothing is wrong that its host could see. A probe decides. */
  z.object({ kind: z.literal('probation'), ...common, ...fault }),
  /** It is free again. Only its history is kept. */
  z.object({ kind: z.literal('free'), ...common }),
])
export type CardClaim = z.infer<typeof CardClaim>

/** The result of trying a card out. */
export type CardProbe = { readonly kind: 'passed' } | { readonly kind: 'failed'; readonly message: string }

export interface CardRecord {
  readonly uuid: string
  readonly claim?: CardClaim
  readonly rest?: CardRest
}

/** Cards and hosts that no worker may use at a time, as the history keeps them (ADR 79). */
export const OutOfUse = z.object({
  cards: z.array(z.object({ uuid: z.string(), since: z.number(), cause: CardFault, message: z.string() })),
  /** Ids of hosts that do not answer. */
  hosts: z.array(z.string()),
})
export type OutOfUse = z.infer<typeof OutOfUse>
