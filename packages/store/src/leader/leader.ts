// One of all scalers on one Redis leads: it executes plans, and each of its writes carries the number of its term (ADR 33). The lease is one hash with
// an expiry; the latest term is stored next to it.
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing, number, row, tagged, text } from '../scripts/replies.ts'
import type { ScalerReport } from '@runyard/schema'
import { readScalerReport } from '../data/records.ts'

/** What other processes can show about the leader. */
export interface LeaderFacts {
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

export type LeaderStore = ReturnType<typeof createLeaderStore>

const holdScript = defineScript({
  lua: new URL('./hold-leader.lua', import.meta.url),
  keys: ['lease', 'latestTerm'],
  args: { candidate: 'text', ttlMs: 'number', ownFacts: 'text', ownTerm: 'number' },
  onlyIfAwaited: true,
  reply: tagged({
    held: (cells) => ({ kind: 'held' as const, ...row({ term: number })(cells) }),
    others: (cells) => ({ kind: 'others' as const, ...row({ facts: text, leftMs: number, owner: text })(cells) }),
  }),
})

const releaseScript = defineScript({
  lua: new URL('./release-leader.lua', import.meta.url),
  keys: ['lease'],
  args: { owner: 'text' },
  reply: nothing,
})

export function createLeaderStore({ keys, run }: StoreContext) {
  const { lease, term: latestTerm } = keys.leader
  return {
    /** Takes a free lease, or renews the caller's own. `term`: the one held so far; it is kept if no other scaler led meanwhile. */
    async hold(
      owner: string,
      { ttlMs, facts, term = 0 }: { readonly ttlMs: number; readonly facts: LeaderFacts; readonly term?: number | undefined },
    ): Promise<Holding> {
      const reply = await run(holdScript, { lease, latestTerm, candidate: owner, ttlMs, ownFacts: JSON.stringify(facts), ownTerm: term })
      if (reply.kind === 'held') return reply
      const leader: LeaderFacts = JSON.parse(reply.facts)
      return { kind: 'others', owner: reply.owner, leader, leftMs: Math.max(0, reply.leftMs) }
    },

    /** Gives up the lease of that owner, so that another takes it at once. */
    async release(owner: string): Promise<void> {
      await run(releaseScript, { lease, owner })
    },
  }
}

export type ScalerReportStore = ReturnType<typeof createScalerReportStore>

const putScript = defineScript({
  lua: new URL('./put-report.lua', import.meta.url),
  keys: ['report'],
  args: { text: 'text', keepMs: 'number' },
  reply: nothing,
})

const KEEP_MS = 24 * 3600 * 1000

/** The latest report of the leading scaler (ADR 73). It ends by itself a day after the last scaler. */
export function createScalerReportStore({ client, keys, run }: StoreContext) {
  const report = keys.scalerReport
  return {
    put: (latest: ScalerReport): Promise<void> => run(putScript, { report, text: JSON.stringify(latest), keepMs: KEEP_MS }),
    async get(): Promise<ScalerReport | undefined> {
      const latest = await client.get(report)
      return latest === null ? undefined : readScalerReport(latest)
    },
  }
}
