// Volumes in the scaler (ADR 71): what placement needs to know of them, which store the first worker chooses, what a worker mounts, and the removal of data
// in the background. Failure direction: data that nothing names stays; only a written removal removes any.
import { storeOf, volumeNeeds, VOLUME_PATH, type StartAction, type VolumeNeeds } from '@runyard/core'
import { createLoop, sentenceOf, type Logger } from '@runyard/kit'
import {
  RunyardError,
  type Endpoint,
  type HostConfig,
  type HostDriver,
  type VolumeMount,
  type VolumeRemoval,
  type WorkerLaunch,
  type WorkerRecord,
} from '@runyard/schema'
import type { Store } from '@runyard/store'
import { isStale } from './chains.ts'
import type { HostPool } from './host-pool.ts'

/** By endpoint; an endpoint without volumes is absent, and where no endpoint has any, nothing is read. */
export async function readVolumeNeeds(
  { resources, volumes }: Pick<Store, 'resources' | 'volumes'>,
  endpoints: readonly Endpoint[],
): Promise<ReadonlyMap<string, VolumeNeeds>> {
  const using = endpoints.filter(({ spec }) => spec.networkVolumeIds.length > 0)
  if (using.length === 0) return new Map()
  const [known, stores] = await Promise.all([resources.volumes.list(), volumes.stores()])
  const byId = new Map(known.map((volume) => [volume.id, volume]))
  return new Map(using.map((endpoint) => [endpoint.id, volumeNeeds(endpoint, byId, stores)]))
}

/** @throws RunyardError('conflict') where the data of one is elsewhere by now; the next look places the worker there. */
export async function claimVolumes({ volumes }: Pick<Store, 'volumes'>, { volumes: wanted = [] }: StartAction): Promise<void> {
  for (const { id, storeId } of wanted) {
    const actual = await volumes.claim(id, storeId)
    if (actual !== storeId) throw new RunyardError('conflict', `The data of volume ${id} is in the store "${actual}", not in "${storeId}".`)
  }
}

export function mountsOf(
  { volumeIds = [] }: WorkerRecord,
  { task }: Pick<Endpoint, 'task'>,
  config: HostConfig | undefined,
): readonly VolumeMount[] {
  const paths = new Map(task?.mounts.map(({ volumeId, path }) => [volumeId, path]))
  return volumeIds.map((volumeId) => ({
    volumeId,
    path: paths.get(volumeId) ?? VOLUME_PATH,
    readOnly: false,
    directory: directoryOf(volumeId, config),
  }))
}

/** The endpoint's own variables win. */
export function withVolumes(launch: WorkerLaunch, mounts: readonly VolumeMount[]): WorkerLaunch {
  const [first] = mounts
  return first === undefined ? launch : { ...launch, mounts, env: { RUNPOD_VOLUME_PATH: first.path, ...launch.env } }
}

/** For the worker's log. */
export function notMounted({ capabilities }: HostDriver, { mounts = [], models = [] }: WorkerLaunch): readonly string[] {
  if (capabilities.mountsVolumes === true) return []
  const cannot = 'this host runs processes and cannot mount'
  return [
    ...(mounts.length === 0 ? [] : [`${cannot} the volume at ${VOLUME_PATH}: RUNPOD_VOLUME_PATH (and RUNPOD_MOUNTS) name its directory`]),
    ...(models.length === 0 ? [] : [`${cannot} models: HF_HUB_CACHE has them, and the paths of runpod.Model do not exist`]),
  ]
}

function directoryOf(volumeId: string, config: HostConfig | undefined): string | undefined {
  const parent = config?.volumes?.path
  return parent === undefined ? undefined : `${parent.replace(/\/+$/, '')}/${volumeId}`
}

const LOOK_EVERY_MS = 5000
/** A removal whose volume still exists after this time belongs to a delete that was refused or broken off. */
const HALF_MADE_MS = 60_000

export interface VolumeKeeperDeps {
  readonly store: Pick<Store, 'volumes' | 'resources' | 'endpoints' | 'workers'>
  readonly hosts: HostPool
  readonly log: Logger
}

export function openVolumeKeeper(deps: VolumeKeeperDeps): AsyncDisposable {
  const tick = async (now: number): Promise<number> => {
    try {
      await removeVolumes(deps, now)
    } catch (error) {
      // The scaler that leads now does so.
      if (!isStale(error)) throw error
    }
    return now + LOOK_EVERY_MS
  }
  const loop = createLoop({ name: 'volumes', tick, log: deps.log, maxSleepMs: LOOK_EVERY_MS })
  loop.start()
  return loop
}

export async function removeVolumes(deps: VolumeKeeperDeps, now: number): Promise<void> {
  const removals = await deps.store.volumes.removals()
  if (removals.length === 0) return
  const [stores, used] = await Promise.all([deps.store.volumes.stores(), usedVolumes(deps)])
  for (const removal of removals) {
    if ((await deps.store.resources.volumes.find(removal.ownerId, removal.id)) !== undefined) {
      if (now - removal.at > HALF_MADE_MS) await deps.store.volumes.dropRemoval(removal.id)
    } else if (!used.has(removal.id)) {
      await removeData(deps, removal, stores.get(removal.id))
    }
  }
}

/** Of living workers, also of deleted endpoints. */
async function usedVolumes({ store }: VolumeKeeperDeps): Promise<ReadonlySet<string>> {
  const [endpoints, deleted] = await Promise.all([store.endpoints.list(), store.endpoints.listDeleted()])
  const workers = await Promise.all([...endpoints.map(({ id }) => id), ...deleted].map((id) => store.workers.list(id)))
  return new Set(workers.flat().flatMap(({ volumeIds = [] }) => volumeIds))
}

/** `storeId` undefined: no worker ever had it, so there is no data. */
async function removeData(
  { store, hosts, log }: VolumeKeeperDeps,
  { id, name }: VolumeRemoval,
  storeId: string | undefined,
): Promise<void> {
  if (storeId === undefined) return store.volumes.forget(id)
  for (const host of hosts.list()) {
    const { inventory, workers, label } = host.view(Date.now())
    if (inventory === undefined || workers === undefined || storeOf(inventory) !== storeId) continue
    try {
      if (!(await host.driver.removeVolume({ volumeId: id, directory: directoryOf(id, host.config()) }))) return
      await store.volumes.forget(id)
      log.info({ volumeId: id, name, host: label, storeId }, `the data of the deleted volume ${name} was removed`)
    } catch (error) {
      if (isStale(error)) throw error
      log.warn({ volumeId: id, host: label, problem: sentenceOf(error) }, `the data of the deleted volume ${name} was not removed yet`)
    }
    return
  }
}
