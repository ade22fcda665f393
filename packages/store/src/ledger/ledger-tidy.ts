// Compacts the ledger (ADR 43). Each step is fenced and may be interrupted between two portions; the next call continues.
import { DAY_MS, splitByDay, startOfDay } from '@runyard/core'
import type { StoreContext } from '../context.ts'
import { goneNameField } from '../endpoints/endpoint-lists.ts'
import { findOwners, dayField, parseDay } from './ledger-reads.ts'
import type { LedgerStore } from './ledger.ts'
import { readLedgerRow } from '../data/records.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { nothing, number } from '../scripts/replies.ts'

const addDayLua = defineLua({ lua: new URL('./add-day.lua', import.meta.url) })

const dropScript = defineScript({
  lua: new URL('./drop.lua', import.meta.url),
  keys: ['open'],
  args: { workers: 'texts', texts: 'texts' },
  reply: number,
})

const rollUpScript = defineScript({
  lua: new URL('./roll-up.lua', import.meta.url),
  uses: [addDayLua],
  keys: ['rows', 'days', 'progress'],
  args: { untilDay: 'number', texts: 'texts', counts: 'texts', fields: 'texts', seconds: 'texts', gpuSeconds: 'texts' },
  reply: number,
})

const foldDaysScript = defineScript({
  lua: new URL('./fold-days.lua', import.meta.url),
  uses: [addDayLua],
  keys: ['days'],
  args: { from: 'texts', to: 'texts' },
  reply: nothing,
})

export const foldTotalsScript = defineScript({
  lua: new URL('./fold-totals.lua', import.meta.url),
  keys: ['totals', 'records', 'deleted', 'owners'],
  reply: nothing,
})

const forgetOwnersScript = defineScript({
  lua: new URL('./forget-owners.lua', import.meta.url),
  keys: ['owners', 'ownersSince'],
  args: { endpoints: 'texts', nameFields: 'texts' },
  reply: number,
})

/** Some milliseconds of Redis each. */
const AT_ONCE = 500
/** A worker's last row is written some time after its endpoint was deleted; longer than that, and than any log. */
const OWNER_MARGIN_MS = 7 * DAY_MS
/** A worker's record is there before its first interval and goes after its last one; no request hangs for this long and goes on. */
const DROP_AFTER_MS = 60 * 60 * 1000

export function createLedgerTidy(context: StoreContext): Pick<LedgerStore, 'tidy'> {
  const { keys, run } = context
  const { records, deleted, owners } = keys.endpoints
  return {
    async tidy(now, keepMs) {
      const dropped = await dropOrphans(context, now)
      const rolledUp = await rollUp(context, startOfDay(now - keepMs))
      await run(foldTotalsScript, { totals: keys.ledger.totals, records, deleted, owners })
      const forgotten = await forgetOwners(context, now - keepMs - OWNER_MARGIN_MS)
      return { rolledUp, forgotten, dropped }
    },
  }
}

/** Open intervals of workers that have no record: a word of a worker that came while the worker was cleared away. */
async function dropOrphans({ client, keys, run }: StoreContext, now: number): Promise<number> {
  const { open } = keys.ledger
  const found = Object.entries(await client.hgetall(open)).filter(([, text]) => readLedgerRow(text).from < now - DROP_AFTER_MS)
  let dropped = 0
  for (let from = 0; from < found.length; from += AT_ONCE) {
    const some = found.slice(from, from + AT_ONCE)
    const known = await Promise.all(some.map(([id, text]) => client.exists(keys.worker(readLedgerRow(text).endpointId, id))))
    const orphans = some.filter((_, index) => known[index] === 0)
    const [workers, texts] = [orphans.map(([id]) => id), orphans.map(([, text]) => text)]
    if (orphans.length > 0) dropped += await run(dropScript, { open, workers, texts })
  }
  return dropped
}

async function rollUp(context: StoreContext, until: number): Promise<number> {
  const { client, keys, run } = context
  const { rows, days, rolled } = keys.ledger
  let count = 0
  for (;;) {
    const texts = await client.zrangebyscore(rows, '-inf', until, 'LIMIT', 0, AT_ONCE)
    if (texts.length === 0) return count
    const ownerOf = await findOwners(
      context,
      texts.map((text) => readLedgerRow(text).endpointId),
    )
    for (const [ownerId, own] of Map.groupBy(texts, (text) => ownerOf(readLedgerRow(text).endpointId).ownerId)) {
      const added = own.map((text) => toDays(text, ownerOf(readLedgerRow(text).endpointId).isGone))
      const flat = added.flat()
      count += await run(rollUpScript, {
        rows,
        days: days(ownerId),
        progress: rolled,
        untilDay: until,
        texts: own,
        counts: added.map(({ length }) => length),
        fields: flat.map(({ field }) => field),
        seconds: flat.map((day) => day.seconds),
        gpuSeconds: flat.map((day) => day.gpuSeconds),
      })
    }
  }
}

/** What a row adds to. */
function toDays(text: string, isGone: boolean) {
  const row = readLedgerRow(text)
  const endpointId = isGone ? null : row.endpointId
  return splitByDay(row).map(({ seconds, gpuSeconds, ...part }) => ({ field: dayField({ ...part, endpointId }), seconds, gpuSeconds }))
}

/** Endpoints deleted before `before`: what is left of them goes to their owner's sums, and then they are forgotten. */
async function forgetOwners({ client, keys, run }: StoreContext, before: number): Promise<number> {
  const { owners, ownersSince } = keys.endpoints
  let forgotten = 0
  for (;;) {
    const ids = await client.zrangebyscore(ownersSince, '-inf', before, 'LIMIT', 0, AT_ONCE)
    if (ids.length === 0) return forgotten
    const ownerIds = new Set((await client.hmget(owners, ...ids)).filter((ownerId) => ownerId !== null))
    for (const ownerId of ownerIds) await foldDays({ client, keys, run }, ownerId, new Set(ids))
    forgotten += await run(forgetOwnersScript, { owners, ownersSince, endpoints: ids, nameFields: ids.map(goneNameField) })
  }
}

async function foldDays({ client, keys, run }: Pick<StoreContext, 'client' | 'keys' | 'run'>, ownerId: string, ids: ReadonlySet<string>) {
  const key = keys.ledger.days(ownerId)
  const pairs = Object.entries(await client.hgetall(key)).flatMap(([field, value]) => {
    const day = parseDay(field, value)
    return day.endpointId !== null && ids.has(day.endpointId) ? [{ from: field, to: dayField({ ...day, endpointId: null }) }] : []
  })
  for (let at = 0; at < pairs.length; at += AT_ONCE) {
    const some = pairs.slice(at, at + AT_ONCE)
    await run(foldDaysScript, { days: key, from: some.map(({ from }) => from), to: some.map(({ to }) => to) })
  }
}
