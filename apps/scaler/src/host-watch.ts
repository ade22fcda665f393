// One host as last seen: what it offers and which workers it holds, refreshed in the background so that no tick waits for a host.
// A host that fails or takes too long to answer is unknown (`workers: undefined`), never empty.
import { setTimeout as delay } from 'node:timers/promises'
import { asConfigured, configuredCordon, type GpuCatalogue, type HostView } from '@runyard/core'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { HostConfig, HostDriver, HostEvent, HostInventory, ObservedWorker } from '@runyard/schema'
import { prepareHost } from './host-preparation.ts'
import { createImageLooks, type ImageLooks } from './image-looks.ts'

export interface HostWatch extends AsyncDisposable {
  readonly driver: HostDriver
  readonly images: ImageLooks
  /** What the operator wrote about it, now. */
  config(): HostConfig | undefined
  /** Which host it is; until it has answered once, what the operator calls it. */
  hostId(): string
  view(now: number): HostView
  /** Lists the workers again; resolves when a listing that began after this call is in. Never rejects. */
  refresh(): Promise<void>
  /** Reads the inventory again, with uses of GPUs that were seen after `usedAfter`, if they come in time. Never rejects. */
  refreshInventory(usedAfter?: number): Promise<void>
}

export interface HostWatchOptions {
  readonly driver: HostDriver
  /** What the operator wrote about the host. It may change at any time. */
  readonly configOf?: () => HostConfig | undefined
  /** The simulated GPUs of a host whose own configuration names none. */
  readonly simulatedGpus?: string | undefined
  readonly catalogue: GpuCatalogue
  readonly log: Logger
  readonly onChange: () => void
}

const LIST_EVERY_MS = 5000
const INVENTORY_EVERY_MS = 10_000
/** A listing that takes longer than this is outdated. */
const ANSWER_WITHIN_MS = 10_000
const DEATH_SHOWS_AFTER_MS = [20, 40, 80, 160, 320, 640, 1280] as const
const FIRST_ANSWER_WITHIN_MS = 3000

interface Seen {
  hostId: string | undefined
  cardsOfOthers: readonly string[]
  workers: readonly ObservedWorker[] | undefined
  observedAt: number
  /** Of the last listing that succeeded, at first when the watch was opened. */
  answeredAt: number
  inventory: HostInventory | undefined
  inventoryAt: number | undefined
  uses: HostView['uses']
  usesAt: number | undefined
  disk: HostView['disk']
  /** Why no worker starts here yet, as the end of a sentence; undefined once the host is prepared. */
  unready: string | undefined
  problem: string | undefined
  inventoryProblem: string | undefined
  /** When the listing under way was asked for. */
  askedAt: number | undefined
}

export async function openHostWatch(options: HostWatchOptions): Promise<HostWatch> {
  const { driver } = options
  const reader = createReader(options)
  const refresh = coalesce(reader.list)
  let wanted = -Infinity
  const readInventory = coalesce(() => reader.readInventory(wanted))
  const refreshInventory = (usedAfter = -Infinity): Promise<void> => {
    wanted = Math.max(wanted, usedAfter)
    return readInventory()
  }
  const preparation = prepareHost(options, reader.noteUnready)
  const reports = driver.watchGpus?.(() => void readInventory())
  const watching = driver.watch((event) => void followUp(event, reader, refresh))
  const timers = [setInterval(() => void refresh(), LIST_EVERY_MS), setInterval(() => void refreshInventory(), INVENTORY_EVERY_MS)]
  // A host that does not answer is unknown for now and holds up nothing.
  await Promise.race([
    Promise.all([refresh(), refreshInventory(), preparation.first]),
    delay(FIRST_ANSWER_WITHIN_MS, undefined, { ref: false }),
  ])
  return {
    driver,
    config: () => options.configOf?.(),
    images: createImageLooks(options),
    hostId: () => reader.view(Date.now()).hostId,
    refresh,
    refreshInventory,
    view: reader.view,
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer)
      await preparation.stop()
      reports?.[Symbol.dispose]()
      await watching[Symbol.asyncDispose]()
    },
  }
}

/** An engine reports a death before its list shows it (Docker removes the network in between), so the list is read until both agree. */
async function followUp({ kind, workerId }: HostEvent, reader: Reader, refresh: () => Promise<void>): Promise<void> {
  await refresh()
  for (const pauseMs of kind === 'died' ? DEATH_SHOWS_AFTER_MS : []) {
    const isListedRunning = reader.view(Date.now()).workers?.some((worker) => worker.workerId === workerId && worker.state === 'running')
    if (isListedRunning !== true) return
    await delay(pauseMs)
    await refresh()
  }
}

interface Reader {
  readonly list: () => Promise<void>
  readonly readInventory: (usedAfter: number) => Promise<void>
  readonly noteUnready: (why: string | undefined) => void
  readonly view: (now: number) => HostView
}

function seenNothing(): Seen {
  return {
    hostId: undefined,
    cardsOfOthers: [],
    workers: undefined,
    observedAt: 0,
    answeredAt: Date.now(),
    inventory: undefined,
    inventoryAt: undefined,
    uses: undefined,
    usesAt: undefined,
    disk: undefined,
    unready: 'is being prepared',
    problem: undefined,
    inventoryProblem: undefined,
    askedAt: undefined,
  }
}

function standbyOf(driver: HostDriver): Pick<HostView, 'standby' | 'standbyProblem'> {
  return { standby: driver.standbyCount?.(), standbyProblem: driver.standbyProblem?.() }
}

function createReader(options: HostWatchOptions): Reader {
  const { driver, log, onChange } = options
  const seen = seenNothing()
  const configured = createConfigured(options)

  function noteProblem(problem: string | undefined): void {
    if (problem === seen.problem) return
    seen.problem = problem
    if (problem === undefined) log.info({ host: driver.label }, 'host is reachable again')
    else log.warn({ host: driver.label, reason: 'host_lost', problem }, 'host cannot be reached; its workers are left alone')
  }

  return {
    async list() {
      const askedAt = Date.now()
      seen.askedAt = askedAt
      try {
        seen.hostId ??= await driver.identify()
        const [workers, cardsOfOthers] = await Promise.all([driver.listWorkers(), driver.cardsOfOthers()])
        Object.assign(seen, { workers, cardsOfOthers, observedAt: askedAt, answeredAt: Date.now() })
        noteProblem(undefined)
      } catch (error) {
        seen.workers = undefined
        noteProblem(sentenceOf(error))
      }
      seen.askedAt = undefined
      onChange()
    },
    noteUnready(why) {
      const isNew = why !== seen.unready
      seen.unready = why
      if (isNew) onChange()
    },
    async readInventory(usedAfter) {
      try {
        const [hostId, { uses, usesAt, disk, ...offer }] = await Promise.all([
          seen.hostId ?? driver.identify(),
          driver.inventory(usedAfter),
        ])
        const inventory = { ...offer, ...factsOf(driver), hostId }
        const isNew = JSON.stringify(inventory) !== JSON.stringify(seen.inventory)
        Object.assign(seen, { hostId, inventory, uses, usesAt, disk, inventoryAt: Date.now(), inventoryProblem: undefined })
        if (isNew) onChange()
      } catch (error) {
        // The last inventory stands: what a host has does not change with an answer that failed.
        const problem = sentenceOf(error)
        if (problem !== seen.inventoryProblem) log.warn({ host: driver.label, problem }, 'the inventory of a host cannot be read')
        seen.inventoryProblem = problem
      }
    },
    view: (now) => ({ ...viewOf(seen, driver, now), ...standbyOf(driver), ...configured(seen.inventory, now) }),
  }
}

/** The inventory and the cordon as the current configuration makes them; worked out again only if one of the two has changed. */
function createConfigured({ configOf = () => undefined, simulatedGpus, catalogue }: HostWatchOptions) {
  let known: { readonly found: HostInventory | undefined; readonly config: HostConfig | undefined } | undefined
  let result: Pick<HostView, 'inventory' | 'cordon'> = { inventory: undefined }
  return (found: HostInventory | undefined, now: number) => {
    const config = configOf()
    if (known !== undefined && known.found === found && known.config === config) return result
    known = { found, config }
    const cordon = configuredCordon(config, now)
    result = { inventory: found && asConfigured(found, config, { simulatedGpus, catalogue }), ...(cordon && { cordon }) }
    return result
  }
}

function viewOf(seen: Seen, driver: HostDriver, now: number): HostView {
  const { inventory, inventoryAt, uses, usesAt, disk, observedAt, answeredAt, askedAt, workers, cardsOfOthers, unready } = seen
  const isHung = askedAt !== undefined && now - askedAt > ANSWER_WITHIN_MS
  const { label, kind } = driver
  const identity = { hostId: seen.hostId ?? label, isIdentified: seen.hostId !== undefined, label, kind }
  const common = { ...identity, unready, inventory, inventoryAt, uses, usesAt, disk, cardsOfOthers, observedAt }
  return workers === undefined || isHung
    ? { ...common, workers: undefined, awaySince: answeredAt }
    : { ...common, workers, listingMs: answeredAt - observedAt }
}

const factsOf = ({ label, kind, capabilities }: HostDriver) => ({ label, kind, capabilities })

/** Calls during a run share one further run that starts after it. */
function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const run = async (): Promise<void> => {
    running = work()
    await running
    running = undefined
  }
  const runAfter = async (before: Promise<void>): Promise<void> => {
    await before
    next = undefined
    await run()
  }
  return () => {
    if (running === undefined) return run()
    next ??= runAfter(running)
    return next
  }
}
