// The leader's lease, and the cards that workers hold: a card has one holder, whoever plans (ADR 33).
import type { WorkerRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import type { LeaderFacts, LeaderStore } from './leader-types.ts'
import { CLAIM_CARDS, FREE_CARDS, HOLD_LEADER, RELEASE_LEADER } from '../scripts/leader.ts'

export function createLeaderStore({ keys, run }: StoreContext): LeaderStore {
  const { lease, term: latestTerm } = keys.leader
  return {
    async hold(owner, { ttlMs, facts, term = 0 }) {
      const reply = await run(HOLD_LEADER, [lease, latestTerm], [owner, ttlMs, JSON.stringify(facts), term])
      const [isHeld, answer, leftMs = 0, other = ''] = reply as [number, string, number?, string?]
      if (isHeld === 1) return { kind: 'held', term: Number(answer) }
      return { kind: 'others', owner: other, leader: JSON.parse(answer) as LeaderFacts, leftMs: Math.max(0, leftMs) }
    },

    async release(owner) {
      await run(RELEASE_LEADER, [lease], [owner])
    },
  }
}

type Holder = Pick<WorkerRecord, 'endpointId' | 'id' | 'gpus'>

export interface Cards {
  /** False where another worker holds one of them. */
  claim(worker: Holder): Promise<boolean>
  free(worker: Holder): Promise<void>
}

/** A claim whose worker has no record is void: its maker died between the claim and the record, or between the record's end and the claim's. */
export function createCards({ client, keys, run }: StoreContext): Cards {
  const nameOf = ({ endpointId, id }: Holder) => `${endpointId}/${id}`
  const uuidsOf = ({ gpus }: Holder) => gpus.map(({ uuid }) => uuid)

  const isVoid = async (holder: string): Promise<boolean> => {
    const [endpointId = '', workerId = ''] = holder.split('/')
    return (await client.exists(keys.worker(endpointId, workerId))) === 0
  }
  const tryClaim = async (worker: Holder, voidHolders: readonly string[]): Promise<readonly string[]> => {
    const uuids = uuidsOf(worker)
    return (await run(CLAIM_CARDS, [keys.cards], [nameOf(worker), uuids.length, ...uuids, ...voidHolders])) as readonly string[]
  }
  return {
    async claim(worker) {
      if (worker.gpus.length === 0) return true
      const holders = await tryClaim(worker, [])
      if (holders.length === 0) return true
      const areVoid = await Promise.all(holders.map(isVoid))
      return areVoid.every(Boolean) && (await tryClaim(worker, holders)).length === 0
    },
    async free(worker) {
      if (worker.gpus.length > 0) await run(FREE_CARDS, [keys.cards], [nameOf(worker), ...uuidsOf(worker)])
    },
  }
}
