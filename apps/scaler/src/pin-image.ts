// Brings a worker's image to its host, and says by which name the worker starts (ADR 62): all workers of a release run what the image's tag referred to when
// the first of them started. The operator's own image follows its tag. Failure direction: an image that was pinned by its id and is not on the host any
// more is replaced by what the tag refers to.
import { pinnedImageOn, withPinnedImage, type FoundImage } from '@runyard/core'
import { RunyardError, type Endpoint, type HostDriver } from '@runyard/schema'
import type { ActDeps } from './act-deps.ts'
import type { PlacedWorker } from './start-worker.ts'

export interface PinOptions {
  readonly driver: HostDriver
  readonly placed: PlacedWorker
  /** Resolves when the host has the image. */
  readonly bring: (image: string) => Promise<unknown>
}

export async function bringImage(deps: Pick<ActDeps, 'store'>, options: PinOptions): Promise<string> {
  const { placed, bring } = options
  const { image } = placed.record
  const name = image === placed.endpoint.spec.image && !image.includes('@') ? await pinnedBefore(options) : image
  if (name === undefined) return pinNow(deps, options)
  await bring(name)
  return name
}

async function pinnedBefore({ driver, placed: { endpoint, record } }: PinOptions): Promise<string | undefined> {
  const pinned = pinnedImageOn(endpoint, record.hostId)
  const canBeHad = pinned !== undefined && (pinned.includes('@') || (await driver.hasImage(pinned)))
  return canBeHad ? pinned : undefined
}

async function pinNow({ store }: Pick<ActDeps, 'store'>, { driver, placed: { endpoint, record }, bring }: PinOptions): Promise<string> {
  const { image, hostId } = record
  await bring(image)
  const [id, digest] = await Promise.all([driver.imageId(image), driver.imageDigest?.(image)])
  if (id === undefined) return image
  const decided = pinnedImageOn(await pin(store, endpoint, { hostId, id, digest }), hostId) ?? image
  // Another host may have been first, with another image.
  if (decided !== id && decided !== digest) await bring(decided)
  return decided
}

async function pin(store: ActDeps['store'], { id, specHash }: Endpoint, found: FoundImage): Promise<Endpoint> {
  return store.endpoints.upsert({ id }, (current) => {
    if (current === undefined) throw new RunyardError('not_found', `The endpoint ${id} was deleted.`)
    return current.specHash === specHash ? withPinnedImage(current, found) : current
  })
}
