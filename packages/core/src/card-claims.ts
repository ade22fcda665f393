// Decides who may have a card between two workers, and while something is wrong with it. After its worker it is free again when its processes are gone and
// its memory is back at rest, by a report that was begun later; while other workers share it (ADR 61), when all its processes are theirs. A report that fails
// says nothing, so the card waits. A card with a fault, or without proof in time, is in quarantine. When nothing is wrong any more and a pause is over, a probe
// decides.
// Failure direction: a card stays unused too long rather than being given away while something of the old worker is left.
import type { CardClaim, CardProbe, CardRecord, CardRest, CardUse, Gpu } from '@runyard/schema'
import { pauseAfterMs } from './backoff.ts'
import { eventOf, QUARANTINES_FOR_OPERATOR, TREATMENTS, troubleOf, type CardTrouble } from './card-health.ts'
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

export interface CardFacts {
  readonly sight: CardSight
  /** What is wrong with it now. */
  readonly trouble: CardTrouble | undefined
  /** The workers that hold it: several only if they share it. */
  readonly holders: readonly string[]
  /** Of the holders, seen after the report of `sight`: their pids. `unknowable`: the host cannot say. Undefined: not asked yet. */
  readonly pids?: HolderPids | undefined
  readonly hostId?: string | undefined
}

export type HolderPids = readonly number[] | 'unknowable'

/** The claim as it is now; the same object: nothing changed. */
export function nextClaim(card: CardRecord, facts: CardFacts, now: number): CardClaim | undefined {
  const { claim } = card
  const { trouble, holders, hostId } = facts
  if (trouble !== undefined && TREATMENTS[trouble.kind].card === 'quarantine')
    return claim?.kind === 'quarantined' ? claim : quarantined(claim, { holder: holders[0], hostId, ...trouble }, now)
  return claim === undefined ? undefined : withoutTrouble({ ...card, claim }, facts, now)
}

function withoutTrouble(card: CardRecord & { readonly claim: CardClaim }, facts: CardFacts, now: number): CardClaim | undefined {
  const { claim } = card
  switch (claim.kind) {
    case 'releasing':
      return nextOfReleasing({ ...card, claim }, facts, now)
    case 'quarantined':
      return hasProof(card, facts) && now >= returnsAt(claim) ? { ...claim, kind: 'probation', since: now } : claim
    case 'free':
      return lately(claim, now).length === 0 ? undefined : claim
    case 'probation':
      break
  }
  return claim
}

type With<K extends CardClaim['kind']> = CardRecord & { readonly claim: Extract<CardClaim, { readonly kind: K }> }

function nextOfReleasing(card: With<'releasing'>, facts: CardFacts, now: number): CardClaim | undefined {
  const { claim } = card
  if (hasProof(card, facts)) return freed(claim, now)
  const left = facts.sight.kind === 'use' && isReleased(card, facts) ? leftBeside(card, facts.sight.use, facts) : undefined
  if (left === undefined || now - claim.since < RELEASE_WITHIN_MS) return claim
  const who = claim.workerId === undefined ? 'its worker' : `worker ${claim.workerId}`
  const message = `${who} is gone, but the card is not free: ${left}`
  return quarantined(claim, { kind: 'not_released', message, holder: undefined, hostId: facts.hostId }, now)
}

/** No worker holds it but those that shared it with the one in release, and nothing is left of any other. */
function hasProof(card: CardRecord, facts: CardFacts): boolean {
  const { sight } = facts
  if (sight.kind === 'unknown' || !isReleased(card, facts)) return false
  return sight.kind === 'unreported' || leftBeside(card, sight.use, facts) === undefined
}

/** What was observed is older than its release where the released worker is still among its holders. A card in quarantine waits for all of them. */
function isReleased({ claim }: CardRecord, { holders, pids }: CardFacts): boolean {
  if (holders.length === 0) return true
  return claim?.kind === 'releasing' && pids !== undefined && claim.workerId !== undefined && !holders.includes(claim.workerId)
}

/** The memory of other workers is not known, so beside them only processes prove something. */
function leftBeside({ rest = NOTHING }: CardRecord, use: CardUse, { holders, pids = [] }: CardFacts): string | undefined {
  if (holders.length === 0) return leftOn(use, rest)
  return pids === 'unknowable' ? undefined : leftOn({ ...use, isMemoryProof: false }, { ...rest, pids: [...rest.pids, ...pids] })
}

/** After its probe, a card is free, or back in quarantine for longer. A card that is not in probation stays as it is. */
export function afterProbe(claim: CardClaim | undefined, probe: CardProbe, now: number): CardClaim | undefined {
  if (claim?.kind !== 'probation') return claim
  if (probe.kind === 'passed') return freed(claim, now)
  return quarantined(claim, { kind: 'failed_probe', message: probe.message, holder: undefined }, now)
}

/** An operator ends a quarantine: its history is forgotten, and the card is free as soon as there is proof. */
export function releasedByOperator({ workerId }: CardClaim, now: number): CardClaim {
  return { kind: 'releasing', since: now, quarantines: [], ...(workerId === undefined ? {} : { workerId }) }
}

type Cause = CardTrouble & Pick<CardFacts, 'hostId'> & { readonly holder: string | undefined }

function quarantined(claim: CardClaim | undefined, { kind, message, holder, hostId = claim?.hostId }: Cause, now: number): CardClaim {
  const quarantines = [...(claim === undefined ? [] : lately(claim, now)), now]
  const workerId = holder ?? claim?.workerId
  const needsOperator = TREATMENTS[kind].back === 'operator' || quarantines.length >= QUARANTINES_FOR_OPERATOR
  const who = {
    ...(workerId === undefined ? {} : { workerId }),
    ...(hostId === undefined ? {} : { hostId }),
    ...(needsOperator ? { needsOperator } : {}),
  }
  return { kind: 'quarantined', since: now, quarantines, cause: kind, message, ...who }
}

const lately = ({ quarantines }: CardClaim, now: number): number[] => quarantines.filter((at) => now - at < DAY_MS)

/** Its history stays as long as it counts. */
function freed(claim: CardClaim, now: number): CardClaim | undefined {
  const quarantines = lately(claim, now)
  const who = claim.workerId === undefined ? {} : { workerId: claim.workerId }
  return quarantines.length === 0 ? undefined : { kind: 'free', since: now, quarantines, ...who }
}

/** The earliest time of its probation, epoch ms: 10 s after the first quarantine of a day, 30 s after the second. Infinity: the operator decides. */
export function returnsAt(claim: CardClaim): number {
  const needsOperator = claim.kind === 'quarantined' && claim.needsOperator === true
  return needsOperator ? Infinity : claim.since + pauseAfterMs(claim.quarantines.length)
}

/** What the latest report of its host says about a card that was released at `since`. */
export function sightOf(uuid: string, since: number, host: HostView | undefined): CardSight {
  const gpu = gpuOf(uuid, host)
  if (host === undefined || gpu === undefined) return { kind: 'unknown' }
  const isSilent = !gpu.healthy && gpu.faultKind === undefined
  // A kind of host that reports no uses at all has no time of a report.
  if (isSilent || (host.usesAt ?? Infinity) <= since) return { kind: 'unknown' }
  const use = host.usesAt === undefined ? undefined : host.uses?.[uuid]
  return use === undefined ? { kind: 'unreported' } : { kind: 'use', use }
}

const gpuOf = (uuid: string, host: HostView | undefined): Gpu | undefined =>
  host?.inventory?.gpus.find((candidate) => candidate.uuid === uuid)

export interface Holders {
  /** The workers of ours that hold a real card, by uuid. */
  readonly holdersOf: ReadonlyMap<string, readonly string[]>
  /** Workers that do not end although they were killed. */
  readonly undying: ReadonlySet<string>
}

/** Everything that `nextClaim` needs to know about a card. */
export function factsOf({ uuid, claim }: CardRecord, host: HostView | undefined, { holdersOf, undying }: Holders): CardFacts {
  const holders = holdersOf.get(uuid) ?? []
  const since = claim?.since ?? 0
  const stuck = holders.find((holder) => undying.has(holder))
  const hang = stuck === undefined ? undefined : { kind: 'undying' as const, message: `its worker ${stuck} does not end`, holder: stuck }
  const troubles = [troubleOf(uuid, host), eventOf(gpuOf(uuid, host), since), hang]
  const grave = troubles.find((trouble) => trouble !== undefined && TREATMENTS[trouble.kind].card === 'quarantine')
  return {
    sight: sightOf(uuid, since, host),
    trouble: grave ?? troubles.find((trouble) => trouble !== undefined),
    holders,
    hostId: host?.hostId,
  }
}

/** The host with its cards that no worker may have: those in release are taken, those in quarantine have a fault. */
export function withCardClaims(host: HostView, claims: ReadonlyMap<string, CardClaim>): HostView {
  if (host.inventory === undefined || claims.size === 0) return host
  const gpus = host.inventory.gpus.map((gpu) => {
    const claim = claims.get(gpu.uuid)
    if (claim?.kind !== 'quarantined' && claim?.kind !== 'probation') return gpu
    const where = claim.kind === 'quarantined' ? 'in quarantine' : 'on probation'
    // What ends a worker counts, whatever the card went into quarantine for.
    const isGrave = gpu.faultKind !== undefined && TREATMENTS[gpu.faultKind].worker === 'stop'
    return { ...gpu, healthy: false, fault: `${where}: ${claim.message}`, faultKind: isGrave ? gpu.faultKind : claim.cause }
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
