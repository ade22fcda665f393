// Keeps the disks of hosts from filling up with images that nothing uses any more (ADR 59): records what Runyard pulled, and removes what core says may go.
// It looks every few minutes, and at once on a host whose disk is nearly full. Failure direction: a pull that was not recorded stays on its host for good.
import { bytesToFree, judgeImages, resolveImage, type ImageVerdict, type Removal } from '@runyard/core'
import { createLoop, sentenceOf, type Logger } from '@runyard/kit'
import type { Config, PulledImage } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { isStale } from './chains.ts'
import type { HostPool } from './host-pool.ts'
import type { HostWatch } from './host-watch.ts'
import type { Images } from './images.ts'

export interface ImageKeeperDeps {
  readonly store: Pick<Store, 'hosts' | 'endpoints'>
  readonly hosts: HostPool
  readonly images: Pick<Images, 'takePulled' | 'forget'>
  readonly config: Pick<Config, 'images' | 'defaultImage' | 'imageAliases'>
  readonly log: Logger
}

const LOOK_EVERY_MS = 60_000
const PRUNE_EVERY_MS = 10 * 60_000
const DAY_MS = 24 * 3600 * 1000

export function openImageKeeper(deps: ImageKeeperDeps): AsyncDisposable {
  let prunedAt = 0
  const tick = async (now: number): Promise<number> => {
    const isDue = now - prunedAt >= PRUNE_EVERY_MS
    if (isDue) prunedAt = now
    try {
      await recordPulled(deps)
      for (const host of deps.hosts.list()) await pruneHost(deps, host, { now, isDue })
    } catch (error) {
      // The scaler that leads now does so.
      if (!isStale(error)) throw error
    }
    return now + LOOK_EVERY_MS
  }
  const loop = createLoop({ name: 'images', tick, log: deps.log, maxSleepMs: LOOK_EVERY_MS })
  loop.start()
  return loop
}

/** What was pulled since the last look. */
export async function recordPulled({
  store,
  images,
}: {
  readonly store: Pick<Store, 'hosts'>
  readonly images: Pick<Images, 'takePulled'>
}): Promise<void> {
  for (const [hostId, pulled] of Map.groupBy(images.takePulled(), (one) => one.hostId)) {
    const names = new Set(pulled.map(({ name }) => name))
    const others = (await store.hosts.pulledImages(hostId)).filter(({ name }) => !names.has(name))
    await store.hosts.putImages(hostId, [...others, ...pulled.map(toRecord)])
  }
}

function toRecord({ name, imageId, at }: { readonly name: string; readonly imageId: string; readonly at: number }): PulledImage {
  return { name, imageId, pulledAt: at, usedAt: at }
}

export interface Moment {
  readonly now: number
  /** It is time to look at every host; else only at those whose disk is nearly full. */
  readonly isDue: boolean
}

export async function pruneHost(deps: ImageKeeperDeps, host: HostWatch, { now, isDue }: Moment): Promise<void> {
  const { store, config, log } = deps
  const { hostId, label, disk, workers } = host.view(now)
  const needBytes = bytesToFree(disk, config.images.keepFreeBytes)
  if (workers === undefined || !(isDue || needBytes > 0)) return
  const known = await store.hosts.pulledImages(hostId)
  if (known.length === 0) return
  try {
    const { pulled, remove } = await judge(deps, host, { known, needBytes, now })
    const removed = await removeAll(deps, host, remove)
    const left = pulled.filter(({ name }) => !removed.has(name))
    if (JSON.stringify(left) !== JSON.stringify(known)) await store.hosts.putImages(hostId, left)
    if (removed.size > 0) await host.refreshInventory()
  } catch (error) {
    if (isStale(error)) throw error
    log.warn({ host: label, problem: sentenceOf(error) }, 'the images of a host were not looked through')
  }
}

interface Judging {
  readonly known: readonly PulledImage[]
  readonly needBytes: number
  readonly now: number
}

async function judge({ store, config }: ImageKeeperDeps, { driver }: HostWatch, { known, needBytes, now }: Judging): Promise<ImageVerdict> {
  const [held, endpoints] = await Promise.all([driver.heldImages(known.map(({ name }) => name)), store.endpoints.list()])
  const named = new Set([config.defaultImage, ...endpoints.map(({ spec }) => resolveImage(spec.image, config).image)])
  const { keepUnusedDays, keepUnusedBytes: keepBytes } = config.images
  return judgeImages({ pulled: known, held, named, keepMs: keepUnusedDays * DAY_MS, keepBytes, needBytes, now })
}

const WHY = { age: 'nothing used it for long', size: 'unused images take too much', disk: 'the disk is nearly full' } as const

async function removeAll(
  { images, log }: ImageKeeperDeps,
  { driver }: HostWatch,
  removals: readonly Removal[],
): Promise<ReadonlySet<string>> {
  const removed = new Set<string>()
  for (const { name, bytes, why } of removals) {
    if (!(await driver.removeImage(name))) continue
    removed.add(name)
    images.forget(driver, name)
    log.info({ host: driver.label, image: name, bytes, why }, `the image ${name} was removed: ${WHY[why]}`)
  }
  return removed
}
