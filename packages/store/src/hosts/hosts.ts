// Facts about hosts: the leader's last observation, their rest, their cordon. One hash with a field per host and fact, because each fact has its own
// writer.
import type { Cordon, HostRecord, HostRest, HostSight, PulledImage } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readHostRecord } from '../data/records.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing } from '../scripts/replies.ts'

/** What is written emits `pool-changed`, except what is `quiet`. */
export type HostStore = ReturnType<typeof createHostStore>

const RESTRAINTS = ['rest', 'cordon'] as const
const PARTS = ['sight', 'images', ...RESTRAINTS] as const

const writeScript = defineScript({
  lua: new URL('./write-host-fact.lua', import.meta.url),
  keys: ['hosts'],
  args: { field: 'text', fact: 'text' },
  reply: nothing,
})

export function createHostStore({ client, keys, run, signals }: StoreContext) {
  const { hosts } = keys
  const write = (part: (typeof PARTS)[number], hostId: string, fact: object | undefined): Promise<void> =>
    run(writeScript, { hosts, field: `${part} ${hostId}`, fact: fact === undefined ? '' : JSON.stringify(fact) })
  const put = async (...fact: Parameters<typeof write>): Promise<void> => {
    await write(...fact)
    signals.publish({ kind: 'pool-changed' })
  }
  return {
    async list(): Promise<readonly HostRecord[]> {
      const fields = Object.entries(await client.hgetall(hosts)).map(([field, text]) => {
        const [part = '', hostId = ''] = splitOnce(field)
        return { part, hostId, text }
      })
      return [...Map.groupBy(fields, ({ hostId }) => hostId)].map(([hostId, own]) => toRecord(hostId, own))
    },
    /** What keeps workers off these hosts; a host that nothing is said of is not in the map. Read in each tick. */
    async restraints(hostIds: readonly string[]): Promise<ReadonlyMap<string, Pick<HostRecord, 'rest' | 'cordon'>>> {
      if (hostIds.length === 0) return new Map()
      const texts = await client.hmget(hosts, ...hostIds.flatMap((hostId) => RESTRAINTS.map((part) => `${part} ${hostId}`)))
      const found = hostIds.map((hostId, index) => {
        const parts = RESTRAINTS.flatMap((part, offset) => ({ part, text: texts[index * RESTRAINTS.length + offset] ?? '' }))
        return toRecord(
          hostId,
          parts.filter(({ text }) => text !== ''),
        )
      })
      return new Map(
        found.filter(({ rest, cordon }) => rest !== undefined || cordon !== undefined).map((record) => [record.hostId, record]),
      )
    },
    /** Undefined: the host is not there any more. `quiet`: nothing but its times has changed. */
    putSight: (hostId: string, sight: HostSight | undefined, { quiet = false }: { readonly quiet?: boolean } = {}): Promise<void> =>
      (quiet ? write : put)('sight', hostId, sight),
    /** Undefined ends it. */
    putRest: (hostId: string, rest: HostRest | undefined): Promise<void> => put('rest', hostId, rest),
    /** Undefined ends it. */
    putCordon: (hostId: string, cordon: Cordon | undefined): Promise<void> => put('cordon', hostId, cordon),
    /** What Runyard pulled onto the host. */
    async pulledImages(hostId: string): Promise<readonly PulledImage[]> {
      const text = await client.hget(hosts, `images ${hostId}`)
      return text === null ? [] : (toRecord(hostId, [{ part: 'images', text }]).images ?? [])
    },
    putImages: (hostId: string, images: readonly PulledImage[]): Promise<void> =>
      put('images', hostId, images.length === 0 ? undefined : images),
    /** Of a host that does not exist any more. */
    async forget(hostId: string): Promise<void> {
      for (const part of PARTS) await put(part, hostId, undefined)
    },
  }
}

function toRecord(hostId: string, parts: readonly { readonly part: string; readonly text: string }[]): HostRecord {
  const members = [`"hostId":${JSON.stringify(hostId)}`, ...parts.map(({ part, text }) => `${JSON.stringify(part)}:${text}`)]
  return readHostRecord(`{${members.join(',')}}`)
}

function splitOnce(field: string): readonly string[] {
  const at = field.indexOf(' ')
  return [field.slice(0, at), field.slice(at + 1)]
}
