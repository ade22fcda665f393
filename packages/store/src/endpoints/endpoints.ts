// Endpoint records with their two indexes (name, bound template), kept together by compare-and-set. A deleted endpoint stays listed
// until its last keys are removed, so that a crash in the middle of a deletion is only a pause in it.
import { unknownResource, type ResourceKind } from '@runyard/core'
import { RunyardError, type Endpoint, type JobRecord } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { createEndpointLists, goneNameField } from './endpoint-lists.ts'
import { nameOf, namesBegin } from './owned.ts'
import { readEndpoint, readTemplate } from '../data/records.ts'
import { endpointKeys } from '../keys.ts'
import { hashesLua, hashKeys, KIND_NAMES, KINDS } from '../resources/resource-scripts.ts'
import { foldTotalsScript } from '../ledger/ledger-tidy.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag, maybe, nothing, text, word } from '../scripts/replies.ts'
import { ENDPOINT_DELETED } from '../jobs/settle.ts'
import type { EndpointStore, JobStore, OnEnded } from '../types.ts'

const upsertScript = defineScript(
  {
    lua: new URL('./upsert-endpoint.lua', import.meta.url),
    uses: [hashesLua],
    keys: ['records', 'names', 'bound', 'deleted', 'revision', ...KIND_NAMES],
    args: {
      id: 'text',
      before: 'text',
      after: 'text',
      oldName: 'text',
      newName: 'text',
      oldBound: 'text',
      newBound: 'text',
      /** A template that must be unchanged. */
      template: 'text',
      templateText: 'text',
      /** Resources that must exist. */
      needKinds: 'texts',
      needFields: 'texts',
      expectedRevision: 'text',
      namesBegin: 'text',
      /** 0 = any number. */
      mostPerOwner: 'number',
      changed: 'signal',
    },
    reply: word('stored', 'stale', 'taken', 'unknown', 'full'),
  },
  { changed: (reply) => reply === 'stored' },
)

const findScript = defineScript({
  lua: new URL('./find-endpoint.lua', import.meta.url),
  keys: ['records', 'names'],
  args: { name: 'text' },
  reply: maybe(text),
})

const deleteScript = defineScript(
  {
    lua: new URL('./delete-endpoint.lua', import.meta.url),
    keys: ['records', 'names', 'bound', 'deleted', 'revision', 'owners', 'ownersSince'],
    args: {
      id: 'text',
      before: 'text',
      name: 'text',
      boundTemplate: 'text',
      owner: 'text',
      nameField: 'text',
      title: 'text',
      now: 'number',
      changed: 'signal',
    },
    /** False where another writer came first. */
    reply: flag,
  },
  { changed: (isDeleted) => isDeleted },
)

const removeKeysScript = defineScript({
  lua: new URL('./remove-keys.lua', import.meta.url),
  uses: [endpointKeys],
  keys: ['queue'],
  args: { keepS: 'number', left: 'texts' },
  reply: nothing,
})

export const MAX_TRIES = 100
const CANCEL_BATCH = 200
/** A leader of an earlier term writes nothing into an endpoint that is gone; no process hangs for this long and goes on. */
const KEEP_FENCE_S = 60 * 60

type Written = ReturnType<typeof upsertScript.read>
type Jobs = Pick<JobStore, 'forceSettle' | 'endPurged'>

export const tooBusy = () => new RunyardError('conflict', 'Too many clients change this at once; try again.')
const changed = (endpointId: string) => ({ kind: 'endpoint-changed', endpointId }) as const
const parse = (stored: string | null) => (stored === null ? undefined : readEndpoint(stored))
const parseTemplate = (stored: string | null) => (stored === null ? undefined : readTemplate(stored))

export function createEndpointStore(context: StoreContext, jobs: Jobs): EndpointStore {
  const { client, keys, run } = context
  const { records, templates, deleted, owners } = keys.endpoints
  const lists = createEndpointLists(context)
  const get = async (id: string) => parse(await client.hget(records, id))
  const { readText, readTemplateText, write, remove } = createEndpointWrites(context)

  return {
    get,
    list: async (ownerId) => (ownerId === undefined ? lists.all() : (await lists.of(ownerId)).endpoints),
    listDeleted: () => client.smembers(deleted),
    goneOwners: lists.goneOwners,
    goneIds: lists.goneIds,
    goneNames: lists.goneNames,

    async findByTemplate(templateId) {
      const id = await client.hget(templates, templateId)
      return id === null ? undefined : get(id)
    },

    async upsert(find, change, options = {}) {
      const { templateId, beside, mostPerOwner } = options
      for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
        const [stored, template, owned] = await Promise.all([
          readText(find),
          readTemplateText(templateId),
          beside === undefined ? { revision: '', endpoints: [] } : lists.of(beside),
        ])
        const endpoint = change(parse(stored), parseTemplate(template), owned.endpoints)
        const conditions = { template: { id: templateId ?? '', text: template ?? '' }, revision: owned.revision, mostPerOwner }
        const result = await write(endpoint, stored, conditions)
        if (result === 'stored') return endpoint
        // By name, another client created it meanwhile: look again. By id, the new name belongs to another endpoint.
        if (result !== 'taken' || 'id' in find || stored !== null) refuseWrite(result, endpoint)
      }
      throw tooBusy()
    },

    async delete(id, onEnded) {
      if (!(await remove(id))) return false
      await cancelJobs(context, { jobs, onEnded }, id)
      return true
    },

    async forget(id, onEnded) {
      // Jobs accepted in the very moment of the deletion end here.
      await cancelJobs(context, { jobs, onEnded }, id)
      await removeKeys(context, id)
      await client.srem(deleted, id)
      await run(foldTotalsScript, { totals: keys.ledger.totals, records, deleted, owners })
    },
  }
}

/** What another look would not change. */
function refuseWrite(result: Written, { name }: Endpoint): void {
  if (result === 'taken') throw new RunyardError('conflict', `An endpoint named "${name}" exists already.`)
  if (result === 'full') throw new RunyardError('unprocessable', 'You have as many endpoints as an owner may have; delete some first.')
}

interface Conditions {
  readonly template: { readonly id: string; readonly text: string }
  /** '' = any. */
  readonly revision: string
  readonly mostPerOwner: number | undefined
}

function createEndpointWrites({ client, keys, run }: StoreContext) {
  const { records, names, templates, deleted, owners, ownersSince } = keys.endpoints
  const readText = async (find: Parameters<EndpointStore['upsert']>[0]): Promise<string | null> =>
    'id' in find ? client.hget(records, find.id) : ((await run(findScript, { records, names, name: nameOf(find) })) ?? null)

  const readTemplateText = async (id: string | undefined) => (id === undefined ? null : client.hget(keys.resource('templates'), id))

  const touched = { ...hashKeys(keys), records, names, bound: templates, deleted, revision: keys.revision }
  const write = async (endpoint: Endpoint, expected: string | null, conditions: Conditions): Promise<Written> => {
    const { template, revision, mostPerOwner = 0 } = conditions
    const before = parse(expected)
    const needs = newNeeds(before, endpoint)
    const result = await run(upsertScript, {
      ...touched,
      id: endpoint.id,
      before: expected ?? '',
      after: JSON.stringify(endpoint),
      oldName: before === undefined ? '' : nameOf(before),
      newName: nameOf(endpoint),
      oldBound: before?.templateId ?? '',
      newBound: endpoint.templateId,
      template: template.id,
      templateText: template.text,
      needKinds: needs.map(({ kind }) => kind.name),
      needFields: needs.map(({ field }) => field),
      expectedRevision: revision,
      namesBegin: namesBegin(endpoint.ownerId),
      mostPerOwner,
      changed: changed(endpoint.id),
    })
    if (result !== 'unknown') return result
    for (const { kind, id, field } of needs)
      if ((await client.hexists(keys.resource(kind.name), field)) === 0) throw unknownResource(kind, id)
    // It was created meanwhile.
    return 'stale'
  }

  /** False if there is none. A client that changes it at the same moment only makes this look again. */
  const remove = async (id: string): Promise<boolean> => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const stored = await client.hget(records, id)
      const endpoint = parse(stored)
      if (stored === null || endpoint === undefined) return false
      const { templateId: boundTemplate, ownerId: owner, name: title } = endpoint
      const gone = { id, before: stored, name: nameOf(endpoint), boundTemplate, owner, nameField: goneNameField(id), title }
      if (await run(deleteScript, { ...touched, owners, ownersSince, ...gone, now: Date.now(), changed: changed(id) })) return true
    }
    throw tooBusy()
  }
  return { readText, readTemplateText, write, remove }
}

interface Need {
  readonly kind: ResourceKind
  readonly id: string
  readonly field: string
}

/** The resources that it did not use before. */
function newNeeds(before: Endpoint | undefined, endpoint: Endpoint): readonly Need[] {
  return KINDS.flatMap((kind) => {
    const known = before === undefined ? [] : kind.usedBy(before)
    const added = kind.usedBy(endpoint).filter((id) => !known.includes(id))
    return added.map((id) => ({ kind, id, field: kind.field(endpoint.ownerId, id) }))
  })
}

interface Cancelling {
  readonly jobs: Jobs
  readonly onEnded: OnEnded | undefined
}

/** `onEnded` gets those that ended here also where a later one could not be cancelled. */
async function cancelJobs({ client, keys, signals }: StoreContext, { jobs, onEnded }: Cancelling, endpointId: string): Promise<void> {
  const ended: JobRecord[] = []
  const [wait, active] = [keys.of(endpointId, 'wait'), keys.of(endpointId, 'active')]
  const [prioritized, suspects] = [keys.of(endpointId, 'prioritized'), keys.of(endpointId, 'suspects')]
  const liveIds = async () =>
    (
      await Promise.all([
        client.lrange(wait, 0, CANCEL_BATCH - 1),
        client.lrange(active, 0, CANCEL_BATCH - 1),
        client.zrange(prioritized, '0', String(CANCEL_BATCH - 1)),
        client.zrange(suspects, '0', String(CANCEL_BATCH - 1)),
      ])
    ).flat()
  const cancel = async (jobId: string) => {
    const { heldBy, result, record } = await jobs.forceSettle(endpointId, jobId, ENDPOINT_DELETED)
    if (result === 'settled' && record !== undefined) ended.push(record)
    if (heldBy !== undefined) signals.publish({ kind: 'job-stop', endpointId, jobId, workerId: heldBy })
  }
  try {
    await jobs.endPurged(endpointId)
    for (let ids = await liveIds(); ids.length > 0; ids = await liveIds()) await Promise.all(ids.map(cancel))
  } finally {
    if (ended.length > 0) onEnded?.(ended)
  }
}

/** Results and chunks of its settled jobs have their own expiry and are left to it. */
async function removeKeys({ run, keys }: StoreContext, endpointId: string): Promise<void> {
  await run(removeKeysScript, { queue: keys.queue(endpointId), keepS: KEEP_FENCE_S, left: keys.leftBy(endpointId) })
}
