// Who leads: of all scalers on one Redis one carries plans out, and each of its writes bears the number of its term (ADR 33).
import type { Store } from '../types.ts'

/** What others can tell a person about the leader. */
export interface LeaderFacts {
  /** Name of its machine. */
  readonly machine: string
  readonly pid: number
  readonly dataDir: string
  /** When its process began, epoch ms. */
  readonly since: number
  /** Where its pid means something, and which life of the pid it is; '' = not known. */
  readonly processTable: string
  readonly life: string
}

export type Holding =
  | { readonly kind: 'held'; readonly term: number }
  | { readonly kind: 'others'; readonly owner: string; readonly leader: LeaderFacts; readonly leftMs: number }

export interface LeaderStore {
  /** Takes the lease where nobody has it, or renews one's own. `term`: the one held so far; it is kept where nobody led meanwhile. */
  hold(
    owner: string,
    options: { readonly ttlMs: number; readonly facts: LeaderFacts; readonly term?: number | undefined },
  ): Promise<Holding>
  /** Gives up the lease of that owner, so that another takes it at once. */
  release(owner: string): Promise<void>
}

/** What a plan reads and writes. Each call throws RunyardError('stale_term') once a later term was seen there. */
export type StoreUnderTerm = Pick<Store, 'endpoints' | 'jobs' | 'workers' | 'ledger' | 'status'>
