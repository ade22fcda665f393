// Endpoint records with their two indexes (name, bound template), kept together by compare-and-set. A deleted endpoint stays listed
// until its last keys are removed, so that a crash in the middle of a deletion is only a pause in it.
import { RunyardError } from '@runyard/schema'
import type { Endpoint, JobRecord } from '@runyard/schema'
import { bullKeys } from '../bull.ts'
import type { StoreContext } from '../context.ts'
import { createEndpointLists } from './endpoint-lists.ts'
import { registryField, unknownRegistry } from './registry-record.ts'
import { nameOf, namesBegin } from './owned.ts'
import { readEndpoint, readTemplate } from '../data/records.ts'
import { DELETE_ENDPOINT, FIND_ENDPOINT, UPSERT_ENDPOINT } from '../scripts/library.ts'
import { LEDGER_FOLD_TOTALS } from '../scripts/ledger.ts'
import { REMOVE_KEYS } from '../scripts/records.ts'
import { ENDPOINT_DELETED } from '../jobs/settle.ts'
import type { EndpointStore, JobStore, OnEnded } from '../types.ts'

export const MAX_TRIES = 100
const CANCEL_BATCH = 200
/** A leader of an earlier term writes nothing into an endpoint that is gone; no process hangs for this long and goes on. */
const KEEP_FENCE_S = 60 * 60

type Find = Parameters<EndpointStore['upsert']>[0]
type Written = 'stored' | 'stale' | 'taken' | 'unregistered' | 'full'
type Jobs = Pick<JobStore, 'forceSettle' | 'endPurged'>

export const tooBusy = () => new RunyardError('conflict', 'Too many clients change this at once; try again.')
const changed = (endpointId: string) => ({ kind: 'endpoint-changed', endpointId }) as const
const parse = (text: string | null) => (text === null ? undefined : readEndpoint(text))
const parseTemplate = (text: string | null) => (text === null ? undefined : readTemplate(text))

export function createEndpointStore(context: StoreContext, jobs: Jobs): EndpointStore {
  const { client, keys, run, signals } = context
  const { records, templates, deleted, owners } = keys.endpoints
  const lists = createEndpointLists(context)
  const get = async (id: string) => parse(await client.hget(records, id))
  const { readText, readTemplateText, write, remove } = createEndpointWrites(context)

  return {
    get,
    list: async (ownerId) => (ownerId === undefined ? lists.all() : (await lists.of(ownerId)).endpoints),
    listDeleted: () => client.smembers(deleted),
    goneOwners: lists.goneOwners,

    async findByTemplate(templateId) {
      const id = await client.hget(templates, templateId)
      return id === null ? undefined : get(id)
    },

    async upsert(find, change, options = {}) {
      const { templateId, beside, mostPerOwner } = options
      for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
        const [text, template, owned] = await Promise.all([
          readText(find),
          readTemplateText(templateId),
          beside === undefined ? { revision: '', endpoints: [] } : lists.of(beside),
        ])
        const endpoint = change(parse(text), parseTemplate(template), owned.endpoints)
        const conditions = { template: { id: templateId ?? '', text: template ?? '' }, revision: owned.revision, mostPerOwner }
        const result = await write(endpoint, text, conditions)
        if (result === 'stored') {
          signals.deliver(changed(endpoint.id))
          return endpoint
        }
        // By name, another client created it meanwhile: look again. By id, the new name belongs to another endpoint.
        if (result !== 'taken' || 'id' in find || text !== null) refuseWrite(result, endpoint)
      }
      throw tooBusy()
    },

    async delete(id, onEnded) {
      if (!(await remove(id))) return false
      signals.deliver(changed(id))
      await cancelJobs(context, { jobs, onEnded }, id)
      return true
    },

    async forget(id, onEnded) {
      // Jobs accepted in the very moment of the deletion end here.
      await cancelJobs(context, { jobs, onEnded }, id)
      await removeKeys(context, id)
      await client.srem(deleted, id)
      await run(LEDGER_FOLD_TOTALS, [keys.ledger.totals, records, deleted, owners], [])
    },
  }
}

/** What another look would not change. */
function refuseWrite(result: Written, { name, spec }: Endpoint): void {
  if (result === 'taken') throw new RunyardError('conflict', `An endpoint named "${name}" exists already.`)
  if (result === 'unregistered') throw unknownRegistry(spec.registryId ?? '')
  if (result === 'full') throw new RunyardError('unprocessable', 'You have as many endpoints as an owner may have; delete some first.')
}

interface Conditions {
  readonly template: { readonly id: string; readonly text: string }
  /** '' = any. */
  readonly revision: string
  readonly mostPerOwner: number | undefined
}

function createEndpointWrites({ client, keys, run, signals }: StoreContext) {
  const { records, names, templates, deleted, owners, ownersSince } = keys.endpoints
  const readText = async (find: Find): Promise<string | null> =>
    'id' in find ? client.hget(records, find.id) : ((await run(FIND_ENDPOINT, [records, names], [nameOf(find)])) as string | null)

  const told = (id: string) => [signals.channel, signals.encode(changed(id))]

  const readTemplateText = async (id: string | undefined) => (id === undefined ? null : client.hget(keys.templates, id))

  const write = async (endpoint: Endpoint, expected: string | null, conditions: Conditions): Promise<Written> => {
    const { template, revision, mostPerOwner = '' } = conditions
    const before = parse(expected)
    const was = { name: before === undefined ? '' : nameOf(before), template: before?.templateId ?? '' }
    const texts = [endpoint.id, expected ?? '', JSON.stringify(endpoint)]
    const args = [...texts, was.name, nameOf(endpoint), was.template, endpoint.templateId, template.id, template.text]
    const touched = [records, names, templates, deleted, keys.templates, keys.registries, keys.revision]
    const limits = [revision, namesBegin(endpoint.ownerId), mostPerOwner]
    return (await run(UPSERT_ENDPOINT, touched, [...args, newRegistry(before, endpoint), ...told(endpoint.id), ...limits])) as Written
  }

  /** False if there is none. A client that changes it at the same moment only makes this look again. */
  const remove = async (id: string): Promise<boolean> => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const text = await client.hget(records, id)
      const endpoint = parse(text)
      if (text === null || endpoint === undefined) return false
      const touched = [records, names, templates, deleted, keys.revision, owners, ownersSince]
      const args = [id, text, nameOf(endpoint), endpoint.templateId, endpoint.ownerId, ...told(id), Date.now()]
      if ((await run(DELETE_ENDPOINT, touched, args)) === 1) return true
    }
    throw tooBusy()
  }
  return { readText, readTemplateText, write, remove }
}

/** The field of a registry that it did not name before; '' = none. */
function newRegistry(before: Endpoint | undefined, { ownerId, spec: { registryId } }: Endpoint): string {
  return registryId === null || registryId === before?.spec.registryId ? '' : registryField(ownerId, registryId)
}

interface Cancelling {
  readonly jobs: Jobs
  readonly onEnded: OnEnded | undefined
}

/** `onEnded` gets those that ended here also where a later one could not be cancelled. */
async function cancelJobs({ client, keys, signals }: StoreContext, { jobs, onEnded }: Cancelling, endpointId: string): Promise<void> {
  const ended: JobRecord[] = []
  const queue = keys.queue(endpointId)
  const liveIds = async () =>
    (
      await Promise.all([
        client.lrange(`${queue}:wait`, 0, CANCEL_BATCH - 1),
        client.lrange(`${queue}:active`, 0, CANCEL_BATCH - 1),
        client.zrange(`${queue}:prioritized`, '0', String(CANCEL_BATCH - 1)),
        client.zrange(`${queue}:r:suspects`, '0', String(CANCEL_BATCH - 1)),
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
  const own = [
    keys.workers(endpointId),
    keys.events(endpointId),
    keys.status(endpointId),
    keys.counters(endpointId),
    keys.deadlines(endpointId),
    ...keys.register(endpointId),
    ...keys.batches(endpointId),
  ]
  const touched = [keys.workers(endpointId), keys.queue(endpointId), keys.forgotten(endpointId)]
  await run(REMOVE_KEYS, touched, [KEEP_FENCE_S, ...own, ...bullKeys(keys, endpointId)])
}
