// Knows which images a host has, and pulls the others: one pull per host, image and credentials, for all workers that wait for it. A present image is
// not checked again until a start fails. An image that was pulled with credentials is available to owners whose credentials its registry accepted
// (ADR 27); other owners pull it, too, and the registry decides. All other images are available to every endpoint, as on any Docker host.
import { addPullLine, diskError, lowDisk, NO_PROGRESS, pulledBytes } from '@runyard/core'
import type { HostDriver, PullOptions } from '@runyard/schema'
import type { Store } from '@runyard/store'

/** Who names the image. */
export interface ImageUser {
  readonly ownerId: string
  readonly registryId: string | null
}

export interface EnsureOptions extends PullOptions {
  /** Undefined: the operator, for an image that stands in for the one that was named. */
  readonly user?: ImageUser | undefined
}

export interface Images {
  /** Resolves when the image is on the host, which had it or has pulled it. @throws as `HostDriver.pullImage` where it cannot be had. */
  ensure(driver: HostDriver, image: string, options: EnsureOptions): Promise<'present' | 'pulled'>
  /** `ensure` has seen it there for this user or, by default, it was seen there at all; then it is also looked for in the background. */
  isKnown(driver: HostDriver, image: string, by?: { readonly user: ImageUser | undefined }): boolean
  /** It was looked for, and this host does not have it for anyone. */
  isMissing(driver: HostDriver, image: string): boolean
  /** What was pulled since the last call, where no image had that name before. */
  takePulled(): readonly Pulled[]
  /** The next `ensure` looks again. */
  forget(driver: HostDriver, image: string): void
}

/** Images come to a host by our pulls, which are noted, and by its owner's, who may wait. */
const LOOK_AGAIN_MS = 600_000

export interface Pulled {
  readonly hostId: string
  readonly name: string
  readonly imageId: string
  readonly at: number
}

interface Pull {
  readonly done: Promise<void>
  readonly listeners: Set<(line: string) => void>
  readonly stop: AbortController
}

export interface ImagesOptions {
  /** A host with less free disk pulls nothing. */
  readonly keepFreeBytes?: number
  /** How often the disk is looked at while a pull is under way; default: 5 s. */
  readonly lookEveryMs?: number
  /** What a finished pull has downloaded, as far as the engine says. */
  readonly onPulled?: (host: string, bytes: number) => void
}

export function createImages(privateImages: Store['privateImages'], limits: ImagesOptions = {}): Images {
  const present = createPresence()
  const looks = createLooks()
  const pulls = new Map<string, Pull>()
  const { mayUse, noteAccepted } = createAccess(privateImages)
  const pulled: Pulled[] = []
  const pullGuarded = noteNew(countBytes(guardPulls(limits), limits.onPulled), pulled)

  function startPull(driver: HostDriver, image: string, { credentials, onProgress }: PullOptions): Pull {
    const listeners = new Set([onProgress])
    const stop = new AbortController()
    const report = (line: string): void => {
      for (const listener of listeners) listener(line)
    }
    const pull: Pull = { done: pullGuarded(driver, image, { credentials, onProgress: report, signal: stop.signal }), listeners, stop }
    pulls.set(pullKeyOf(driver, image, credentials), pull)
    return pull
  }

  return {
    async ensure(driver, image, options) {
      const { credentials, onProgress, signal, user } = options
      const pullKey = pullKeyOf(driver, image, credentials)
      if (present.isKnown(driver, image, { user })) return 'present'
      if (!pulls.has(pullKey) && (await driver.hasImage(image)) && (await mayUse(driver, image, user))) {
        present.note(driver, image, user)
        return 'present'
      }
      const pull = pulls.get(pullKey) ?? startPull(driver, image, options)
      pull.listeners.add(onProgress)
      try {
        await Promise.race([pull.done, rejectOnAbort(signal)])
        await noteAccepted(driver, image, options)
        present.note(driver, image, user)
        return 'pulled'
      } finally {
        pull.listeners.delete(onProgress)
        // The last waiter aborts the pull, because no one needs it any more.
        if (pull.listeners.size === 0) {
          if (pulls.get(pullKey) === pull) pulls.delete(pullKey)
          pull.stop.abort()
        }
      }
    },
    isKnown: (driver, image, by) => present.isKnown(driver, image, by) || (by === undefined && looks.isThere(driver, image)),
    isMissing: (driver, image) => !present.isKnown(driver, image) && looks.isMissing(driver, image),
    forget(driver, image) {
      present.forget(driver, image)
      looks.forget(driver, image)
    },
    takePulled: () => pulled.splice(0),
  }
}

function createPresence() {
  /** By host and image, for whom. */
  const present = new Map<string, Set<string>>()
  return {
    note(driver: HostDriver, image: string, user: ImageUser | undefined): void {
      const key = keyOf(driver, image)
      present.set(key, (present.get(key) ?? new Set()).add(nameOf(user)))
    },
    isKnown(driver: HostDriver, image: string, by?: { readonly user: ImageUser | undefined }): boolean {
      const users = present.get(keyOf(driver, image))
      return users !== undefined && (by === undefined || users.has(nameOf(by.user)))
    },
    forget(driver: HostDriver, image: string): void {
      present.delete(keyOf(driver, image))
    },
  }
}

/** What hosts have, for whomever it is; asked in the background. */
function createLooks() {
  /** `isThere` undefined: there is no answer yet. */
  const looks = new Map<string, { readonly at: number; isThere: boolean | undefined }>()
  const look = async (driver: HostDriver, image: string): Promise<void> => {
    const seen: { at: number; isThere: boolean | undefined } = { at: Date.now(), isThere: undefined }
    looks.set(keyOf(driver, image), seen)
    // A host that does not answer gets no workers anyway.
    seen.isThere = await driver.hasImage(image).catch(() => undefined)
  }
  const isThere = (driver: HostDriver, image: string): boolean | undefined => {
    const seen = looks.get(keyOf(driver, image))
    if (seen === undefined || (seen.isThere !== true && Date.now() - seen.at > LOOK_AGAIN_MS)) void look(driver, image)
    return seen?.isThere
  }
  return {
    isThere: (driver: HostDriver, image: string): boolean => isThere(driver, image) === true,
    isMissing: (driver: HostDriver, image: string): boolean => isThere(driver, image) === false,
    forget: (driver: HostDriver, image: string): void => void looks.delete(keyOf(driver, image)),
  }
}

type PullInto = (driver: HostDriver, image: string, pull: PullOptions) => Promise<void>

/** An image that was there under its name before belongs to someone else. */
function noteNew(pullInto: PullInto, pulled: Pulled[]): PullInto {
  return async (driver, image, pull) => {
    const before = await driver.imageId(image)
    await pullInto(driver, image, pull)
    const [hostId, imageId] = await Promise.all([driver.identify(), driver.imageId(image)])
    if (before === undefined && imageId !== undefined) pulled.push({ hostId, name: image, imageId, at: Date.now() })
  }
}

function countBytes(pullInto: PullInto, onPulled: ImagesOptions['onPulled']): PullInto {
  return async (driver, image, pull) => {
    let progress = NO_PROGRESS
    const onProgress = (line: string): void => {
      progress = addPullLine(progress, line)
      pull.onProgress(line)
    }
    await pullInto(driver, image, { ...pull, onProgress })
    onPulled?.(driver.label, pulledBytes(progress))
  }
}

/** A pull that would fill the disk does not begin, and one that is about to does not go on. */
function guardPulls({ keepFreeBytes = 0, lookEveryMs = 5000 }: ImagesOptions) {
  const whyNot = async (driver: HostDriver): Promise<string | undefined> => lowDisk(await driver.diskSpace(), keepFreeBytes)
  return async (driver: HostDriver, image: string, pull: PullOptions): Promise<void> => {
    const low = await whyNot(driver)
    if (low !== undefined) throw diskError(image, low)
    const full = new AbortController()
    let lowLater: string | undefined
    const look = async (): Promise<void> => {
      lowLater ??= await whyNot(driver).catch(() => undefined)
      if (lowLater !== undefined) full.abort()
    }
    const timer = setInterval(() => void look(), lookEveryMs)
    try {
      await driver.pullImage(image, { ...pull, signal: AbortSignal.any([pull.signal, full.signal]) })
    } catch (error) {
      throw lowLater === undefined ? error : diskError(image, lowLater, 'during')
    } finally {
      clearInterval(timer)
    }
  }
}

/** Who may use what is on a host, and what registries say of it. */
function createAccess(privateImages: Store['privateImages']) {
  return {
    mayUse: async (driver: HostDriver, image: string, user: ImageUser | undefined): Promise<boolean> => {
      if (user === undefined) return true
      const id = await driver.imageId(image)
      return id === undefined || privateImages.mayUse(id, user)
    },
    /** Its registry has just given it out: to everybody where it asked for nothing. */
    noteAccepted: async (driver: HostDriver, image: string, { credentials, user }: EnsureOptions): Promise<void> => {
      const id = await driver.imageId(image)
      if (id === undefined) return
      if (credentials === undefined) await privateImages.allowEverybody(id)
      else if (user !== undefined && user.registryId !== null) await privateImages.allow(id, { ...user, registryId: user.registryId })
    },
  }
}

function keyOf(driver: HostDriver, image: string): string {
  return `${driver.label}\n${image}`
}

function nameOf(user: ImageUser | undefined): string {
  return user === undefined ? '' : JSON.stringify([user.ownerId, user.registryId])
}

/** Owners with other or no credentials wait for a pull of their own. */
function pullKeyOf(driver: HostDriver, image: string, credentials: PullOptions['credentials']): string {
  return JSON.stringify([keyOf(driver, image), credentials])
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const fail = (): void => {
    reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  }
  if (signal.aborted) fail()
  else signal.addEventListener('abort', fail, { once: true })
  // The winner of a race leaves this one unheard.
  promise.catch(() => undefined)
  return promise
}
