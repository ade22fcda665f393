// Cards have one holder, whichever scaler plans: the worker that claimed them with its record. A card may also have several, with budgets that fit into it
// together (ADR 61). When the record of a holder is removed, the card is in release
// until the leader has proof that it is free (core's card-claims). That outlives the leader, as do quarantine and what uses the card at rest.
import type { CardClaim, CardRecord, CardRest, WorkerRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readCardClaim, readCardRest } from '../data/records.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { flag, list, nothing, text } from '../scripts/replies.ts'

const holdersLua = defineLua({ lua: new URL('./holders.lua', import.meta.url) })

/** `budget` 0: the worker needs the cards alone. `capacity`: how much of its only card workers may have together. */
const claimScript = defineScript({
  lua: new URL('./claim-cards.lua', import.meta.url),
  uses: [holdersLua],
  keys: ['cards', 'states'],
  args: { holder: 'text', uuids: 'texts', voidHolders: 'texts', budget: 'number', capacity: 'number' },
  reply: list(text),
})

const freeScript = defineScript({
  lua: new URL('./free-cards.lua', import.meta.url),
  uses: [holdersLua],
  keys: ['cards', 'states'],
  args: { holder: 'text', uuids: 'texts', claim: 'text' },
  reply: nothing,
})

const writeScript = defineScript({
  lua: new URL('./write-card.lua', import.meta.url),
  keys: ['states'],
  args: { field: 'text', before: 'text', after: 'text' },
  reply: flag,
})

/** What is known of a card, with the text of its claim, which a change names. */
export interface StoredCard extends CardRecord {
  readonly claimText: string
}

export type CardStore = ReturnType<typeof createCardStore>

export function createCardStore({ client, keys, run, signals }: StoreContext) {
  const states = keys.cardStates
  return {
    async list(): Promise<readonly StoredCard[]> {
      const parts = Object.entries(await client.hgetall(states)).map(([field, json]) => {
        const at = field.indexOf(' ')
        return { part: field.slice(0, at), uuid: field.slice(at + 1), json }
      })
      return [...Map.groupBy(parts, ({ uuid }) => uuid)].map(([uuid, own]) =>
        toCard(uuid, new Map(own.map(({ part, json }) => [part, json]))),
      )
    },
    /** False: the claim is not any more what was read. Undefined ends it. Emits `pool-changed`. */
    async putClaim({ uuid, claimText }: StoredCard, claim: CardClaim | undefined): Promise<boolean> {
      const after = claim === undefined ? '' : JSON.stringify(claim)
      const isWritten = await run(writeScript, { states, field: `claim ${uuid}`, before: claimText, after })
      if (isWritten) signals.publish({ kind: 'pool-changed' })
      return isWritten
    },
    async putRest(uuid: string, rest: CardRest): Promise<void> {
      const field = `rest ${uuid}`
      await run(writeScript, { states, field, before: (await client.hget(states, field)) ?? '', after: JSON.stringify(rest) })
    },
  }
}

function toCard(uuid: string, parts: ReadonlyMap<string, string>): StoredCard {
  const [claim, rest] = [parts.get('claim'), parts.get('rest')]
  return {
    uuid,
    claimText: claim ?? '',
    ...(claim === undefined ? {} : { claim: readCardClaim(claim) }),
    ...(rest === undefined ? {} : { rest: readCardRest(rest) }),
  }
}

type Holder = Pick<WorkerRecord, 'endpointId' | 'id' | 'gpus'>

export type Cards = ReturnType<typeof createCards>

/** A claim whose worker has no record is void: its maker died between the claim and the record, or between the record's end and the claim's. */
export function createCards({ client, keys, run }: StoreContext) {
  const nameOf = ({ endpointId, id }: Holder) => `${endpointId}/${id}`
  const uuidsOf = ({ gpus }: Holder) => gpus.map(({ uuid }) => uuid)
  const { cards, cardStates: states } = keys

  const isVoid = async (holder: string): Promise<boolean> => {
    const [endpointId = '', workerId] = holder.split('/')
    return workerId !== undefined && (await client.exists(keys.worker(endpointId, workerId))) === 0
  }
  const tryClaim = (worker: Holder, voidHolders: readonly string[]) => {
    const { bytes: budget, ofBytes: capacity } = worker.gpus[0]?.part ?? { bytes: 0, ofBytes: 0 }
    return run(claimScript, { cards, states, holder: nameOf(worker), uuids: uuidsOf(worker), voidHolders, budget, capacity })
  }
  const free = async (worker: Holder, uuids: readonly string[], claim: string) => {
    if (uuids.length > 0) await run(freeScript, { cards, states, holder: nameOf(worker), uuids, claim })
  }
  return {
    /** False where other workers hold one of them, or too much of its memory, or one is not free yet. */
    async claim(worker: Holder): Promise<boolean> {
      if (worker.gpus.length === 0) return true
      const holders = await tryClaim(worker, [])
      if (holders.length === 0) return true
      const areVoid = await Promise.all(holders.map(isVoid))
      const voidHolders = holders.filter((_, at) => areVoid[at] === true)
      return voidHolders.length > 0 && (await tryClaim(worker, voidHolders)).length === 0
    },
    /** The worker never started: its cards are free at once. */
    giveBack: (worker: Holder): Promise<void> => free(worker, uuidsOf(worker), ''),
    /** Its cards are in release, except simulated ones. */
    async release(worker: Holder): Promise<void> {
      const of = (isSimulated: boolean) => worker.gpus.filter(({ simulated }) => simulated === isSimulated).map(({ uuid }) => uuid)
      await free(worker, of(true), '')
      await free(worker, of(false), JSON.stringify({ kind: 'releasing', workerId: worker.id, since: Date.now() }))
    },
  }
}
