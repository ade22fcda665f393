// The health loop of cards as a table (ADR 57): what each fault means for the job, for the worker, for the card, and how the card comes back. The facts are
// what a host reports; nothing is decided from a report that did not come, except that the card gets no new work.
// Failure direction: a worker is ended only for a fault with which its work fails anyway.
import type { CardFault, Gpu, Reason, WorkerRecord } from '@runyard/schema'
import type { HostView } from './observed.ts'

export interface Treatment {
  /** Of the jobs of the worker that has the card. `requeue`: they run on another card, and the attempt is not counted. */
  readonly job: 'requeue' | 'finish'
  /** `drain`: it takes no more jobs. */
  readonly worker: 'stop' | 'drain' | 'keep'
  /** `quarantine`: no worker, also after the fault is gone from the report. `cordon`: no new worker as long as it is reported. `alone`: no work of several cards. */
  readonly card: 'quarantine' | 'cordon' | 'alone' | 'keep'
  /** `report`: as soon as the host reports it without the fault. `probation`: also only after a pause and a probe. */
  readonly back: 'report' | 'probation' | 'operator'
}

const GONE: Treatment = { job: 'requeue', worker: 'stop', card: 'quarantine', back: 'probation' }
const LEFTOVER: Treatment = { job: 'finish', worker: 'keep', card: 'quarantine', back: 'probation' }

export const TREATMENTS: Readonly<Record<CardFault, Treatment>> = {
  lost: GONE,
  reboot: GONE,
  reset: GONE,
  missing: GONE,
  /** An error that the card contained: the program with that memory is lost, the card works on. */
  contained: GONE,
  /** Its memory wears out; what runs may finish. */
  replace: { job: 'finish', worker: 'drain', card: 'quarantine', back: 'operator' },
  drain: { job: 'finish', worker: 'drain', card: 'cordon', back: 'report' },
  fabric: { job: 'finish', worker: 'keep', card: 'alone', back: 'report' },
  slow: { job: 'finish', worker: 'keep', card: 'keep', back: 'report' },
  /** A slice that its card does not have any more. The new slices are cards of their own. */
  layout: { job: 'requeue', worker: 'stop', card: 'keep', back: 'report' },
  /** No report. */
  silent: { job: 'finish', worker: 'keep', card: 'cordon', back: 'report' },
  not_released: LEFTOVER,
  /** Its worker does not end. */
  undying: LEFTOVER,
  failed_probe: LEFTOVER,
}

/** So many quarantines within a day leave the card to the operator. */
export const QUARANTINES_FOR_OPERATOR = 3

export interface CardTrouble {
  readonly kind: CardFault
  /** One sentence without its stop. */
  readonly message: string
}

/** What is wrong with a real card, by what its host says and by its quarantine; undefined: nothing, or nothing is known about the host. */
export function troubleOf(uuid: string, host: Pick<HostView, 'inventory' | 'usesAt'> | undefined): CardTrouble | undefined {
  if (host?.inventory === undefined) return undefined
  const gpu = host.inventory.gpus.find((candidate) => candidate.uuid === uuid)
  if (gpu === undefined) return host.usesAt === undefined ? undefined : gone(uuid)
  if (gpu.faultKind !== undefined) return { kind: gpu.faultKind, message: gpu.fault ?? 'it has a fault' }
  return gpu.healthy ? undefined : { kind: 'silent', message: gpu.fault ?? 'its host says nothing about it' }
}

function gone(uuid: string): CardTrouble {
  return uuid.startsWith('MIG-')
    ? { kind: 'layout', message: 'the slice is not there any more' }
    : { kind: 'missing', message: 'nvidia-smi does not list the card any more' }
}

/** A line of the kernel that came after `since`. */
export function eventOf(gpu: Pick<Gpu, 'event'> | undefined, since: number): CardTrouble | undefined {
  return gpu?.event !== undefined && gpu.event.at > since ? gpu.event : undefined
}

/**
 * Real cards that may have to go into quarantine: with such a fault, or held by workers and not listed any more. `holdersOf`: uuid → workers.
 * `undying`: workers that do not end.
 */
export function suspectCards(
  hosts: readonly HostView[],
  holdersOf: ReadonlyMap<string, readonly string[]>,
  undying: ReadonlySet<string>,
): readonly string[] {
  const listed = hosts.flatMap((host) => (host.inventory?.gpus ?? []).map((gpu) => ({ gpu, host })))
  const faulty = listed.filter(({ gpu, host }) => {
    const trouble = gpu.simulated ? undefined : (eventOf(gpu, 0) ?? troubleOf(gpu.uuid, host))
    return trouble !== undefined && TREATMENTS[trouble.kind].card === 'quarantine'
  })
  const known = new Set(listed.map(({ gpu }) => gpu.uuid))
  const held = [...holdersOf].filter(([uuid, workers]) => workers.some((id) => undying.has(id)) || !known.has(uuid))
  return [...faulty.map(({ gpu }) => gpu.uuid), ...held.map(([uuid]) => uuid)]
}

/** Why a worker has to leave for the sake of its cards. */
export function reasonOfCards(
  { gpus, hostId }: Pick<WorkerRecord, 'gpus' | 'hostId'>,
  hosts: readonly HostView[],
): 'card_failed' | 'card_wears' | undefined {
  const real = gpus.filter(({ simulated }) => !simulated)
  if (real.length === 0) return undefined
  const host = hosts.find((candidate) => candidate.hostId === hostId)
  const asked = new Set(
    real.flatMap(({ uuid }) => {
      const trouble = troubleOf(uuid, host)
      return trouble === undefined ? [] : [TREATMENTS[trouble.kind].worker]
    }),
  )
  if (asked.has('stop')) return 'card_failed'
  return asked.has('drain') ? 'card_wears' : undefined
}

/** The worker was lost by a fault of the host: its jobs run again without a counted attempt. */
export const isHostsFault = (reason: Reason): boolean => reason === 'card_failed'
