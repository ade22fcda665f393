// Families of blobs (ADR 50). A family has a folder of its own in the blob store, a list in Redis of what owns blobs there, and a rule for
// how long an owner lives: a job, an artifact. Each family is swept by itself.
//
// The sweep deletes the blobs of owners that are gone. Only what Redis lists is ever deleted, so an empty or strange Redis deletes nothing;
// several gateways may sweep at once, and a crash half-way leaves the owner on the list for the next sweep.
//
// Redis may lose its last second of announcements in a power cut, and those blobs would stay for good. `adoptBlobs` lists their owners
// again, with a day's grace. Only a Redis that knows this installation may list them: an empty one does not.
import type { BlobStore } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { jobLua } from '../jobs/parts.ts'
import { defineScript } from '../scripts/define-script.ts'
import { nothing, number } from '../scripts/replies.ts'
import type { BlobSweeps } from './blob-types.ts'
import { folderOf, memberOf, type JobAt } from './payloads.ts'

export const ADOPTED_GRACE_MS = 24 * 60 * 60 * 1000
const SWEPT_AT_ONCE = 200
const ADOPTED_AT_ONCE = 500
const DELETED_AT_ONCE = 8
/** The end of an owner that lives may not be foreseen. */
export const LOOK_AGAIN_MS = 20_000

const lifeLeftScript = defineScript({
  lua: new URL('./life-left.lua', import.meta.url),
  uses: [jobLua],
  keys: ['queue'],
  args: { id: 'text', later: 'number' },
  reply: number,
})

/** `found`: the score under which the member was found. */
const laterScript = defineScript({
  lua: new URL('./blobs-later.lua', import.meta.url),
  keys: ['blobs'],
  args: { member: 'text', found: 'text', next: 'number' },
  reply: nothing,
})

const doneScript = defineScript({
  lua: new URL('./blobs-done.lua', import.meta.url),
  keys: ['blobs'],
  args: { member: 'text', found: 'text' },
  reply: nothing,
})

export interface BlobFamily {
  /** Everything of the family lies below it, and nothing of another family. */
  folder(instanceId: string): string
  /** Of one owner. */
  folderOf(instanceId: string, owner: string): string
  /** Of a blob in the family's folder, by its full name. */
  ownerOf(name: string): string
  /** Key of a sorted set: owners by the time from which it is worth a look whether they are still there. */
  readonly list: string
  /** Ms that the owner will be there at least; -1: it is gone and never comes back. */
  lifeLeft(owner: string): Promise<number>
}

/** Values of jobs. Their folder is the installation's id and nothing more, as it was before there were families. */
export function createJobValues({ keys, run }: Pick<StoreContext, 'keys' | 'run'>): BlobFamily {
  return {
    folder: (instanceId) => instanceId,
    folderOf: (instanceId, owner) => folderOf(instanceId, toJob(owner)),
    ownerOf(name) {
      const [, endpointId = '', , jobId = ''] = name.split('/')
      return memberOf({ endpointId, jobId })
    },
    list: keys.blobs,
    async lifeLeft(owner) {
      const { endpointId, jobId } = toJob(owner)
      return run(lifeLeftScript, { queue: keys.queue(endpointId), id: jobId, later: LOOK_AGAIN_MS })
    },
  }
}

function toJob(owner: string): JobAt {
  const slash = owner.indexOf('/')
  return { endpointId: owner.slice(0, slash), jobId: owner.slice(slash + 1) }
}

export function createBlobSweeps(context: StoreContext, family: BlobFamily): BlobSweeps {
  const blobs = context.options.blobs?.store
  if (blobs === undefined) return { sweepBlobs: async () => 0, adoptBlobs: async () => 0 }
  return {
    sweepBlobs: (now) => sweep({ ...context, blobs, family }, now),
    adoptBlobs: (now) => adopt({ ...context, blobs, family }, now),
  }
}

interface Site extends Pick<StoreContext, 'client' | 'keys' | 'run' | 'instanceId'> {
  readonly blobs: BlobStore
  readonly family: BlobFamily
}

interface Candidate {
  readonly owner: string
  /** The score under which it was found: another one since then is news of its blobs. */
  readonly score: string
}

async function sweep(site: Site, now: number): Promise<number> {
  let deleted = 0
  for (;;) {
    const found = toCandidates(await site.client.zrangebyscore(site.family.list, '-inf', now, 'WITHSCORES', 'LIMIT', 0, SWEPT_AT_ONCE))
    for (let from = 0; from < found.length; from += DELETED_AT_ONCE) {
      const counts = await Promise.all(found.slice(from, from + DELETED_AT_ONCE).map((candidate) => sweepOne(site, candidate, now)))
      deleted += counts.reduce((sum, count) => sum + count, 0)
    }
    if (found.length < SWEPT_AT_ONCE) return deleted
  }
}

async function sweepOne({ client, run, instanceId, blobs, family }: Site, { owner, score }: Candidate, now: number): Promise<number> {
  const left = await family.lifeLeft(owner)
  if (left >= 0) {
    await run(laterScript, { blobs: family.list, member: owner, found: score, next: now + Math.max(left, 1) })
    return 0
  }
  const names: string[] = []
  for await (const name of blobs.list(family.folderOf(await instanceId(), owner))) names.push(name)
  // A blob written before the end of that listing was announced before, which changed the score, so its owner is checked again.
  if ((await client.zscore(family.list, owner)) !== score) return 0
  await blobs.delete(names)
  await run(doneScript, { blobs: family.list, member: owner, found: score })
  return names.length
}

function toCandidates(flat: readonly string[]): readonly Candidate[] {
  return flat.flatMap((owner, at) => {
    const score = flat[at + 1]
    return at % 2 === 1 || score === undefined ? [] : [{ owner, score }]
  })
}

/** Deletes nothing but the leftovers of unfinished writes. How many owners were listed. */
async function adopt(site: Site, now: number): Promise<number> {
  const { blobs, family } = site
  const folder = family.folder(await site.instanceId())
  await blobs.removeLeftovers(folder, now)
  let owners = new Set<string>()
  let adopted = 0
  for await (const name of blobs.list(folder)) {
    owners.add(family.ownerOf(name))
    if (owners.size < ADOPTED_AT_ONCE) continue
    adopted += await announce(site, owners, now)
    owners = new Set()
  }
  return adopted + (await announce(site, owners, now))
}

async function announce(site: Site, owners: ReadonlySet<string>, now: number): Promise<number> {
  if (owners.size === 0 || !(await isOurs(site))) return 0
  return site.client.zadd(site.family.list, 'NX', ...[...owners].flatMap((owner) => [now + ADOPTED_GRACE_MS, owner]))
}

async function isOurs({ client, keys, instanceId }: Site): Promise<boolean> {
  const text = await client.get(keys.instance)
  return text !== null && (JSON.parse(text) as { id: string }).id === (await instanceId())
}
