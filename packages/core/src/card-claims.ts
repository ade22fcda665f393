// Decides when a card is free again after its worker is gone: its processes are gone and its memory is back at rest, by a report that was begun
// later. A report that fails says nothing, so the card waits. A card without proof in time is in quarantine until there is proof and a pause is over.
// Failure direction: a card stays unused too long rather than being given away while something of the old worker is left.
import type { CardClaim, CardRecord, CardRest, CardUse } from '@runyard/schema'
import { pauseAfterMs } from './backoff.ts'
import type { HostView } from './observed.ts'

/** Drivers need a while to clear the memory of a process. */
export const RELEASE_WITHIN_MS = 30_000
/** How far above its level at rest the memory of a free card may be. */
export const REST_TOLERANCE_BYTES = 64 * 2 ** 20
const DAY_MS = 24 * 3600 * 1000
const NOTHING: CardRest = { usedBytes: 0, pids: [] }

/** What a host said about a card. */
export type CardSight =
  /** No report that was begun after the card's release, or a report in which the card does not answer. */
  | { readonly kind: 'unknown' }
  /** The host reports no uses of this card (no driver, a slice), so that its worker's end is all that can be known. */
  | { readonly kind: 'unreported' }
  | { readonly kind: 'use'; readonly use: CardUse }

/** What is left on the card, as the end of a sentence; undefined: nothing. */
export function leftOn({ processes, usedBytes, isMemoryProof }: CardUse, rest: CardRest = NOTHING): string | undefined {
  const ours = processes.filter(({ pid }) => !rest.pids.includes(pid))
  if (ours.length > 0) return `it runs ${ours.map(({ pid, name }) => `${name} (pid ${pid})`).join(', ')}`
  if (!isMemoryProof || usedBytes === null || usedBytes <= rest.usedBytes + REST_TOLERANCE_BYTES) return undefined
  return `${toMib(usedBytes)} MiB of its memory are used without a process, at rest it is ${toMib(rest.usedBytes)} MiB`
}

const toMib = (bytes: number): number => Math.round(bytes / 2 ** 20)

/** The claim as it is now; the same object: nothing changed. */
export function nextClaim({ claim, rest }: CardRecord, sight: CardSight, now: number): CardClaim | undefined {
  if (claim === undefined) return undefined
  const quarantines = claim.quarantines.filter((at) => now - at < DAY_MS)
  if (claim.kind === 'free') return quarantines.length === 0 ? undefined : claim
  if (sight.kind === 'unknown') return claim
  const left = sight.kind === 'use' ? leftOn(sight.use, rest) : undefined
  if (left === undefined) return isPaused(claim, now) ? claim : freed(claim.workerId, quarantines, now)
  if (claim.kind === 'quarantined' || now - claim.since < RELEASE_WITHIN_MS) return claim
  const message = `worker ${claim.workerId} is gone, but the card is not free: ${left}`
  return { kind: 'quarantined', workerId: claim.workerId, since: now, quarantines: [...quarantines, now], message }
}
const isPaused = (claim: CardClaim, now: number): boolean => claim.kind === 'quarantined' && now < returnsAt(claim)

/** Its history stays as long as it counts. */
function freed(workerId: string, quarantines: number[], now: number): CardClaim | undefined {
  return quarantines.length === 0 ? undefined : { kind: 'free', workerId, since: now, quarantines }
}

/** The earliest time at which a card leaves its quarantine: 10 s after the first one of a day, up to an hour after many. */
export function returnsAt({ since, quarantines }: CardClaim): number {
  return since + pauseAfterMs(quarantines.length)
}

/** What the latest report of its host says about a card that was released at `since`. */
export function sightOf(uuid: string, since: number, host: HostView | undefined): CardSight {
  const gpu = host?.inventory?.gpus.find((candidate) => candidate.uuid === uuid)
  if (host === undefined || gpu === undefined) return { kind: 'unknown' }
  // A kind of host that reports no uses at all.
  if (host.usesAt === undefined) return { kind: 'unreported' }
  if (host.usesAt <= since) return { kind: 'unknown' }
  const use = host.uses?.[uuid]
  if (use !== undefined) return { kind: 'use', use }
  return gpu.healthy ? { kind: 'unreported' } : { kind: 'unknown' }
}

/** The host with its cards that no worker may have: those in release are taken, those in quarantine have a fault. */
export function withCardClaims(host: HostView, claims: ReadonlyMap<string, CardClaim>): HostView {
  if (host.inventory === undefined || claims.size === 0) return host
  const gpus = host.inventory.gpus.map((gpu) => {
    const claim = claims.get(gpu.uuid)
    return claim?.kind === 'quarantined' ? { ...gpu, healthy: false, fault: `in quarantine: ${claim.message}` } : gpu
  })
  const releasing = gpus.filter(({ uuid }) => claims.get(uuid)?.kind === 'releasing').map(({ uuid }) => uuid)
  return { ...host, inventory: { ...host.inventory, gpus }, ...(releasing.length === 0 ? {} : { releasing }) }
}

/** How a card is used while no worker of ours has it. Undefined: nothing new is known. */
export function restOf({ rest }: Pick<CardRecord, 'rest'>, use: CardUse): CardRest | undefined {
  const seen = { usedBytes: use.usedBytes ?? 0, pids: use.processes.map(({ pid }) => pid) }
  if (rest === undefined) return seen
  const isSame = Math.abs(seen.usedBytes - rest.usedBytes) < REST_TOLERANCE_BYTES / 4 && seen.pids.join() === rest.pids.join()
  return isSame ? undefined : seen
}
