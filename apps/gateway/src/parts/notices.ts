// What needs a person, as the rest of the gateway asks for it; `webhooks/notices.ts` finds and sends it (ADR 83).
import type { Problem } from '@runyard/schema'

export interface SentTest {
  readonly url: string
  readonly isDelivered: boolean
  readonly message: string
}

export interface Notices extends AsyncDisposable {
  /** What needs a person now, of the pool and of an owner's endpoints. */
  list(ownerId: string): Promise<readonly (Problem & { readonly since: number | undefined })[]>
  /** Posts a test to each receiver. */
  test(): Promise<readonly SentTest[]>
  /** Looks now. */
  tick(): Promise<void>
}
