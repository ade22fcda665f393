// Models of a hub for a new worker (ADR 86): each is fetched once per host, for all workers that wait for it, and passes through the scaler, so that remote
// engines need no way to the hub. A model that is there needs no hub. Failure direction: what is not whole is not used.
import { createHash } from 'node:crypto'
import { gigabytes, hubTokenIn, modelIdentity, modelLayout, modelReferenceText } from '@runyard/core'
import { createHub, type Hub, type HubFile } from '@runyard/kit'
import {
  quoted,
  RunyardError,
  type CachedModel,
  type Config,
  type DiskSpace,
  type Endpoint,
  type HostDriver,
  type LaunchedModel,
  type ModelContent,
  type WorkerLaunch,
} from '@runyard/schema'
import type { Store } from '@runyard/store'

export interface ModelWaiter {
  readonly onProgress: (line: string) => void
  readonly signal: AbortSignal
}

/** With the secrets in its variables filled in. */
export type ModelUser = Pick<Endpoint, 'ownerId' | 'spec'>

export type Models = ReturnType<typeof createModels>

/** A host gets models by our fetches, which are noted, and by those of an earlier scaler. */
const LOOK_AGAIN_MS = 600_000

export interface ModelsDeps {
  readonly store: Pick<Store, 'endpoints'>
  readonly config: Pick<Config, 'models' | 'images'>
  readonly hub?: Hub
}

export function createModels({ store, config, hub = createHub(config.models.hubUrl) }: ModelsDeps) {
  const placed = new WeakMap<HostDriver, Set<string>>()
  const fetches = createFetches()
  const looks = createLooks()
  const idOf = (model: CachedModel, ownerId: string): string => modelId(model, { hubUrl: config.models.hubUrl, ownerId })

  /** Every model that an endpoint asks for. */
  const listWanted = async (): Promise<ReadonlySet<string>> => {
    const endpoints = await store.endpoints.list()
    return new Set(endpoints.flatMap(({ ownerId, spec }) => (spec.models ?? []).map((model) => idOf(model, ownerId))))
  }

  return {
    /** Resolves when the host has all models of the endpoint. @throws RunyardError with one sentence. */
    async ensure(driver: HostDriver, { ownerId, spec }: ModelUser, waiter: ModelWaiter): Promise<readonly LaunchedModel[]> {
      const launched: LaunchedModel[] = []
      for (const model of spec.models ?? []) {
        const id = idOf(model, ownerId)
        const access = { id, token: hubTokenIn(spec.env) }
        if (placed.get(driver)?.has(id) !== true)
          await fetches.join({ driver, id }, waiter, (how) =>
            placeModel({ hub, config, listWanted }, { driver, model }, { ...access, ...how }),
          )
        placed.set(driver, (placed.get(driver) ?? new Set()).add(id))
        launched.push({ id, repo: model.repo, commit: model.commit })
      }
      return launched
    },
    /** The host has it, in whole or in part, or is fetching it, as far as is known; the host is asked in the background. */
    isKnown(driver: HostDriver, model: CachedModel, ownerId: string): boolean {
      const id = idOf(model, ownerId)
      return placed.get(driver)?.has(id) === true || fetches.isRunning(driver, id) || looks.has(driver, id)
    },
    /** The next `ensure` asks the host. */
    forget(driver: HostDriver) {
      placed.delete(driver)
      looks.again(driver)
    },
  }
}

interface Placing extends Required<Pick<ModelsDeps, 'hub' | 'config'>> {
  readonly listWanted: () => Promise<ReadonlySet<string>>
}

interface Place {
  readonly driver: HostDriver
  readonly model: CachedModel
}

interface Fetching extends ModelWaiter {
  readonly id: string
  readonly token: string | undefined
}

async function placeModel(deps: Placing, { driver, model }: Place, { id, ...how }: Fetching): Promise<void> {
  if (driver.placeModel === undefined)
    throw new RunyardError('unprocessable', `The host ${driver.label} keeps no models.`, { fault: 'request' })
  const held = (await driver.models?.()) ?? []
  const isBegun = held.some((one) => one.id === id)
  if (!isBegun) await makeRoom(deps, { driver, model })
  const open = async (): Promise<ModelContent> => {
    // What was begun has its room already.
    if (!isBegun) refuseFullDisk(model, await driver.diskSpace(), deps.config.images.keepFreeBytes)
    return contentOf(deps.hub, model, how)
  }
  try {
    await driver.placeModel({ id, sizeBytes: model.sizeBytes, open })
  } catch (error) {
    // What could not begin takes no room from others.
    if (!isBegun && error instanceof RunyardError && error.fault === 'disk') await driver.removeModel?.(id)
    throw error
  }
}

async function contentOf(hub: Hub, model: CachedModel, { token, signal, onProgress }: Omit<Fetching, 'id'>): Promise<ModelContent> {
  const files = await hub.files(model, { token, signal })
  const report = createReport(model, files, onProgress)
  // Equal files are one.
  const blobs = [...new Map(files.map((file) => [file.blob, file])).values()]
  return {
    ...modelLayout(model, files),
    files: blobs.map((file) => ({
      path: `blobs/${file.blob}`,
      sizeBytes: file.sizeBytes,
      open: () => report(file, hub.read(model, file, { token, signal })),
    })),
  }
}

function modelId(model: CachedModel, { hubUrl, ownerId }: { readonly hubUrl: string; readonly ownerId: string }): string {
  const parts = [hubUrl, ...modelIdentity(model, ownerId)]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)
}

/** What hosts have, as they say themselves. */
function createLooks() {
  const looks = new WeakMap<HostDriver, { at: number; ids: ReadonlySet<string> }>()
  const look = async (driver: HostDriver): Promise<void> => {
    const seen = looks.get(driver) ?? { at: 0, ids: new Set<string>() }
    looks.set(driver, Object.assign(seen, { at: Date.now() }))
    // A host that does not answer gets no workers anyway.
    const held = (await driver.models?.().catch(() => [])) ?? []
    seen.ids = new Set(held.map(({ id }) => id))
  }
  return {
    has(driver: HostDriver, id: string): boolean {
      const seen = looks.get(driver)
      if (seen === undefined || Date.now() - seen.at > LOOK_AGAIN_MS) void look(driver)
      return seen?.ids.has(id) === true
    },
    /** What was seen counts until the next look. */
    again(driver: HostDriver): void {
      const seen = looks.get(driver)
      if (seen !== undefined) seen.at = 0
    },
  }
}

interface Fetch {
  readonly done: Promise<void>
  readonly listeners: Set<(line: string) => void>
  readonly stop: AbortController
}

type Work = (how: ModelWaiter) => Promise<void>

/** One fetch per host and model, for all that wait for it. */
function createFetches() {
  const running = new WeakMap<HostDriver, Map<string, Fetch>>()
  return {
    isRunning: (driver: HostDriver, id: string): boolean => running.get(driver)?.has(id) === true,
    async join({ driver, id }: { readonly driver: HostDriver; readonly id: string }, waiter: ModelWaiter, work: Work): Promise<void> {
      const ofHost = running.get(driver) ?? new Map<string, Fetch>()
      running.set(driver, ofHost)
      const fetch = ofHost.get(id) ?? begin(work)
      ofHost.set(id, fetch)
      fetch.listeners.add(waiter.onProgress)
      try {
        await Promise.race([fetch.done, rejectOnAbort(waiter.signal)])
      } finally {
        fetch.listeners.delete(waiter.onProgress)
        // The last waiter aborts the fetch; the files that are whole stay.
        if (fetch.listeners.size === 0) {
          if (ofHost.get(id) === fetch) ofHost.delete(id)
          fetch.stop.abort()
        }
      }
    },
  }
}

function begin(work: Work): Fetch {
  const listeners = new Set<(line: string) => void>()
  const stop = new AbortController()
  const onProgress = (line: string): void => listeners.forEach((listener) => listener(line))
  // Begins after the first waiter listens.
  const done = Promise.resolve().then(() => work({ onProgress, signal: stop.signal }))
  // Each waiter sees its failure; without waiters it is not reported.
  done.catch(() => undefined)
  return { done, listeners, stop }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

export function withModels(launch: WorkerLaunch, models: readonly LaunchedModel[]): WorkerLaunch {
  return models.length === 0 ? launch : { ...launch, models }
}

/** Removes models that no endpoint asks for, oldest first. @throws RunyardError(fault 'disk') if the others leave too little. */
async function makeRoom({ config: { models }, listWanted }: Placing, { driver, model }: Place): Promise<void> {
  const held = (await driver.models?.()) ?? []
  let needed = held.reduce((sum, { bytes }) => sum + bytes, model.sizeBytes) - models.maxBytes
  if (needed <= 0) return
  const used = await listWanted()
  for (const { id, bytes } of held.filter((one) => !used.has(one.id)).toSorted((a, b) => a.placedAt - b.placedAt)) {
    if (needed > 0 && (await driver.removeModel?.(id)) === true) needed -= bytes
  }
  if (needed <= 0) return
  throw new RunyardError(
    'unprocessable',
    `The model ${quoted(model.repo)} has ${gigabytes(model.sizeBytes)}, and the models that endpoints ask for leave no room for it on the host ${driver.label}: ${gigabytes(needed)} more than ${gigabytes(models.maxBytes)} (models.maxBytes).`,
    { fault: 'disk' },
  )
}

function refuseFullDisk({ repo, sizeBytes }: CachedModel, disk: DiskSpace | undefined, keepFreeBytes: number): void {
  if (disk === undefined || disk.freeBytes - sizeBytes >= keepFreeBytes) return
  throw new RunyardError(
    'unprocessable',
    `The model ${quoted(repo)} has ${gigabytes(sizeBytes)} and is not fetched: ${gigabytes(disk.freeBytes)} are free on the disk of ${disk.path}, and images.keepFreeBytes keeps ${gigabytes(keepFreeBytes)} free.`,
    { fault: 'disk' },
  )
}

const REPORT_EVERY_MS = 5000

/** For the worker's log: how far the fetch is, now and then. Files that an earlier try finished count when the next one begins. */
function createReport(model: CachedModel, files: readonly HubFile[], onProgress: (line: string) => void) {
  const name = modelReferenceText(model)
  let fetched = 0
  let reportedAt = Date.now()
  onProgress(`fetching the model ${name}: ${files.length} files, ${gigabytes(model.sizeBytes)}`)
  return async function* report(file: HubFile, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      fetched += chunk.length
      if (Date.now() - reportedAt >= REPORT_EVERY_MS) {
        reportedAt = Date.now()
        onProgress(`fetching the model ${name}: ${gigabytes(fetched)} of ${gigabytes(model.sizeBytes)}, ${file.path}`)
      }
      yield chunk
    }
  }
}
