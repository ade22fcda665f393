// Artifacts: large files that something in Redis holds, such as the tarball of a deployed app (production §3.2). An artifact stays while
// it has a holder, and for a day after its upload or after its last holder released it; so an unused upload is deleted automatically.
//
// Like the values of jobs, it is announced before it is written. Its record is written after it, and removed by the sweep in the same step that
// finds no holder: an artifact with a record can be held and read, one without a record never again.
import { randomUUID } from 'node:crypto'
import { RunyardError, type Artifact, type BlobStore } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, nothing, number } from '../scripts/replies.ts'
import { readArtifact } from '../data/records.ts'
import { translateErrors } from '../errors.ts'
import type { ArtifactHold, ArtifactStore } from './blob-types.ts'
import { createBlobSweeps, LOOK_AGAIN_MS, type BlobFamily } from './sweep-blobs.ts'

const writtenScript = defineScript({
  lua: new URL('./artifact-written.lua', import.meta.url),
  keys: ['blobs', 'records'],
  args: { id: 'text', record: 'text', score: 'number' },
  reply: flag,
})

const holdScript = defineScript({
  lua: new URL('./hold-artifact.lua', import.meta.url),
  keys: ['records', 'holders'],
  args: { id: 'text', holder: 'text' },
  reply: flag,
})

const releaseScript = defineScript({
  lua: new URL('./release-artifact.lua', import.meta.url),
  keys: ['blobs', 'holders'],
  args: { id: 'text', holder: 'text', score: 'number' },
  reply: nothing,
})

const lifeLeftScript = defineScript({
  lua: new URL('./artifact-life-left.lua', import.meta.url),
  keys: ['records', 'holders'],
  args: { id: 'text', later: 'number' },
  reply: number,
})

/** Time for an upload and for what follows it, and for a worker that still reads what was let go. */
export const ARTIFACT_GRACE_MS = 24 * 60 * 60 * 1000
const FILE = 'file'

const folder = (instanceId: string): string => `artifacts/${instanceId}`

export function createArtifacts({ keys, run }: Pick<StoreContext, 'keys' | 'run'>): BlobFamily {
  return {
    folder,
    folderOf: (instanceId, id) => `${folder(instanceId)}/${id}`,
    ownerOf: (name) => name.split('/')[2] ?? '',
    list: keys.artifacts.list,
    lifeLeft: (id) => run(lifeLeftScript, { ...keysOf({ keys }, id), id, later: LOOK_AGAIN_MS }),
  }
}

/** Errors of Redis come out translated here: those of an upload's source say nothing of Redis, whatever their code is. */
export function createArtifactStore(context: StoreContext): ArtifactStore {
  const records = translateErrors(createRecords(context))
  const blobs = (): BlobStore => {
    if (context.options.blobs === undefined) throw new RunyardError('internal', 'This process was opened without a blob store.')
    return context.options.blobs.store
  }
  return {
    ...translateErrors(createBlobSweeps(context, createArtifacts(context))),
    get: (id) => records.get(id),
    hold: (hold) => records.hold(hold),
    release: (hold) => records.release(hold),

    async write(source, limits) {
      const id = randomUUID()
      const name = await records.announce(id)
      const digest = await blobs().write(name, source, limits)
      const artifact = { id, ...digest, writtenAt: Date.now() }
      if (await records.conclude(artifact)) return artifact
      await blobs().delete([name])
      throw new RunyardError('store_unavailable', 'The upload took longer than a day.')
    },

    async read(id, range) {
      const name = await records.nameOf(id)
      return name === undefined ? undefined : blobs().read(name, range)
    },
  }
}

/** What Redis knows of artifacts. */
function createRecords(context: StoreContext) {
  const { client, keys, run, instanceId } = context
  const toName = async (id: string): Promise<string> => `${folder(await instanceId())}/${id}/${FILE}`
  return {
    async announce(id: string): Promise<string> {
      await client.zadd(keys.artifacts.list, Date.now() + ARTIFACT_GRACE_MS, id)
      return toName(id)
    },
    async conclude(artifact: Artifact): Promise<boolean> {
      const { id, writtenAt } = artifact
      return run(writtenScript, { ...keysOf(context, id), id, record: JSON.stringify(artifact), score: writtenAt + ARTIFACT_GRACE_MS })
    },
    async get(id: string): Promise<Artifact | undefined> {
      const text = await client.hget(keys.artifacts.records, id)
      return text === null ? undefined : readArtifact(text)
    },
    nameOf: async (id: string) => ((await client.hexists(keys.artifacts.records, id)) === 1 ? toName(id) : undefined),
    hold: ({ id, holder }: ArtifactHold) => run(holdScript, { ...keysOf(context, id), id, holder }),
    async release({ id, holder }: ArtifactHold): Promise<void> {
      await run(releaseScript, { ...keysOf(context, id), id, holder, score: Date.now() + ARTIFACT_GRACE_MS })
    },
  }
}

function keysOf({ keys }: Pick<StoreContext, 'keys'>, id: string) {
  return { blobs: keys.artifacts.list, records: keys.artifacts.records, holders: keys.artifacts.holders(id) }
}
