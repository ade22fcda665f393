// The GPUs of one host, as one `nvidia-smi -q -x -l` reports them. What was seen stays on the list: while reports fail or do not come, the same GPUs are listed
// as unhealthy with the reason, because an empty list would say that the host has none. Kernel lines are followed beside it, where they can be read.
// Failure direction: no report means unknown, and never that there are no GPUs.
import { setTimeout as delay } from 'node:timers/promises'
import {
  createReportStream,
  linkScore,
  parseTopology,
  toPciAddress,
  type ListedGpu,
  type NvidiaSmiReport,
} from '@runyard/nvidia-smi-parser'
import { errorMessage, type CardUse, type Gpu, type HostOffer } from '@runyard/schema'
import { followLocally, type FollowCommand } from './follow-command.ts'
import { createKernelLog, type KernelLog } from './kernel-log.ts'
import { layoutOf } from './mig.ts'
import { NO_CARDS, readGpuList, runLocally, toInventory, type GpuInventory, type RunCommand } from './read-gpus.ts'
import { supervise, type Supervised, type Supervision } from './supervise.ts'

export interface GpuWatchOptions {
  /** One sentence per change in what is wrong. */
  readonly warn: (message: string) => void
  /** Follows a command on the host; default: on this machine. */
  readonly follow?: FollowCommand | undefined
  /** Runs a command on the host; default: on this machine. */
  readonly run?: RunCommand | undefined
  /** A report that takes longer counts as failed; default 25 s. */
  readonly answerWithinMs?: number | undefined
  /** Pauses before nvidia-smi is started again; for tests. */
  readonly pausesMs?: { readonly first: number; readonly last: number; readonly absent: number }
}

export interface SeenGpus extends Pick<GpuInventory, 'gpus' | 'cudaVersion' | 'uses'> {
  readonly links?: Links
  /** When the latest report that came was begun, or later, epoch ms; absent: none came, so the list of GPUs says nothing about others. */
  readonly usesAt?: number
}

type Links = NonNullable<HostOffer['links']>

export type GpuWatch = ReturnType<typeof createGpuWatch>

const ANSWER_WITHIN_MS = 25_000
const EVERY_S = 5
/** Between two cards there is one link. */
const LEAST_FOR_CHOICE = 3
const NO_NAMES = { layout: layoutOf([]), list: [] }

/** An old line says nothing about what happens now. */
const XID_SHOWN_MS = 3_600_000

interface State {
  last: SeenGpus
  /** Undefined: nothing is known yet. */
  health: 'fine' | { readonly problem: string } | undefined
  /** The next report begins after this time. */
  begunAfter: number
  startedAt: number
  pciOf: ReadonlyMap<string, string>
  /** The names of the slices of a layout. */
  names: { readonly layout: string; readonly list: readonly ListedGpu[] }
  /** How the GPUs with these uuids are linked. */
  linked: { readonly uuids: string; readonly links: Links }
}

const nothingKnown = (): State => ({
  last: NO_CARDS,
  health: undefined,
  begunAfter: 0,
  startedAt: 0,
  pciOf: new Map(),
  names: NO_NAMES,
  linked: { uuids: '', links: [] },
})

export function createGpuWatch(options: GpuWatchOptions) {
  const state = nothingKnown()
  const callbacks = new Set<() => void>()
  let waiting = Promise.withResolvers<void>()
  let smi: Supervised | undefined
  let kernel: KernelLog | undefined

  function changed(): void {
    const before = waiting
    waiting = Promise.withResolvers()
    before.resolve()
    for (const callback of callbacks) callback()
  }

  function start(): Supervised {
    const { follow = followLocally, warn } = options
    kernel = createKernelLog({ follow, warn, gpuAt: (pci) => state.pciOf.get(pci), onEvent: changed })
    kernel.start()
    return supervise(toSupervision(options, state, createReports(options, state, changed)))
  }

  return {
    /** What is known. Waits for the first report, and for one that was begun after `after`, as long as nvidia-smi may take. The first call starts it. */
    async look(after: number = -Infinity): Promise<SeenGpus> {
      smi ??= start()
      const until = Date.now() + (options.answerWithinMs ?? ANSWER_WITHIN_MS)
      const isEnough = (): boolean => state.health !== undefined && (state.health !== 'fine' || (state.last.usesAt ?? Infinity) > after)
      if (!isEnough() && state.health === 'fine' && state.startedAt <= after) smi.restart()
      while (!isEnough() && Date.now() < until) {
        const stop = new AbortController()
        const late = delay(until - Date.now(), undefined, { ref: false, signal: stop.signal }).catch(() => undefined)
        await Promise.race([waiting.promise, late])
        stop.abort()
      }
      return seenNow(state, kernel)
    },
    /** Calls back after each report, and when reports begin to fail. */
    onReport(callback: () => void): Disposable {
      callbacks.add(callback)
      return { [Symbol.dispose]: () => void callbacks.delete(callback) }
    },
    async [Symbol.asyncDispose]() {
      callbacks.clear()
      await Promise.all([smi?.[Symbol.asyncDispose](), kernel?.[Symbol.asyncDispose]()])
    },
  }
}

interface Reports {
  readonly take: (report: NvidiaSmiReport) => void
  readonly fail: (problem: string) => void
  /** There is no nvidia-smi. */
  readonly miss: () => void
}

/** Each sentence again only after another one. */
function createWarner(warn: (message: string) => void): (sentences: readonly string[]) => void {
  let warned = ''
  return (sentences) => {
    if (sentences.join() === warned) return
    warned = sentences.join()
    sentences.forEach(warn)
  }
}

function createReports({ warn, run = runLocally }: GpuWatchOptions, state: State, changed: () => void): Reports {
  let naming = false

  const warnOnce = createWarner(warn)

  function fail(problem: string): void {
    warnOnce([problem])
    state.health = { problem }
    changed()
  }

  function accept(report: NvidiaSmiReport, usesAt: number): void {
    const { warnings, ...seen } = toInventory(report, state.names.list)
    warnOnce(warnings)
    state.pciOf = pciAddresses(report)
    state.last = { ...seen, usesAt }
    state.health = 'fine'
    void readLinks(report, state, { run, changed })
    changed()
  }

  /** The first report of a new layout of slices counts when they have names. */
  async function nameSlices(report: NvidiaSmiReport, usesAt: number): Promise<void> {
    naming = true
    try {
      const list = await readGpuList(run)
      state.names = { list, layout: list.length === 0 ? 'unknown' : layoutOf(report.gpus) }
      accept(report, usesAt)
    } catch (error) {
      fail(`the MIG slices cannot be listed: ${errorMessage(error)}`)
    } finally {
      naming = false
    }
  }

  return {
    fail,
    take(report) {
      const usesAt = state.begunAfter
      state.begunAfter = Date.now()
      const layout = layoutOf(report.gpus)
      if (layout === NO_NAMES.layout) state.names = NO_NAMES
      if (layout === state.names.layout) accept(report, usesAt)
      else if (!naming) void nameSlices(report, usesAt)
    },
    /** A machine without nvidia-smi has no cards; one that had cards has lost it. */
    miss() {
      if (state.last.gpus.length > 0) return fail('nvidia-smi is gone')
      state.last = NO_CARDS
      state.health = 'fine'
      changed()
    },
  }
}

function toSupervision(options: GpuWatchOptions, state: State, { take, fail, miss }: Reports): Supervision {
  const { follow = followLocally, answerWithinMs = ANSWER_WITHIN_MS, pausesMs } = options
  let stream = createReportStream()
  return {
    follow,
    command: ['nvidia-smi', '-q', '-x', '-l', String(EVERY_S)],
    ...(pausesMs === undefined ? {} : { pausesMs }),
    onStart(at) {
      stream = createReportStream()
      state.startedAt = at
      state.begunAfter = at
    },
    onOutput(text) {
      const results = stream.push(text)
      for (const result of results) {
        if (result.kind === 'failure') fail(result.message)
        else take(result)
      }
      return results.some(({ kind }) => kind === 'report')
    },
    onEnd({ code, problem }) {
      const rest = stream.end()
      if (problem !== undefined) fail(problem)
      else if (rest?.kind === 'failure') fail(rest.message)
      else if (code === undefined) miss()
      // One that was killed is started again; what it reported still counts.
      else if (state.health !== 'fine') fail(`nvidia-smi ended with exit code ${code}`)
    },
    silence: { afterMs: answerWithinMs, onSilent: () => fail(`nvidia-smi does not answer for ${Math.round(answerWithinMs / 1000)} s`) },
  }
}

/** Once per set of cards. What is not known is no link: placement takes the first cards then. */
async function readLinks(
  { gpus }: NvidiaSmiReport,
  state: State,
  { run, changed }: { readonly run: RunCommand; readonly changed: () => void },
): Promise<void> {
  const uuids = gpus.flatMap(({ uuid, migEnabled }) => (uuid === null || migEnabled ? [] : [uuid])).join()
  if (uuids === state.linked.uuids) return
  state.linked = { uuids, links: [] }
  if (gpus.length < LEAST_FOR_CHOICE) return
  const output = await run('nvidia-smi', ['topo', '-m']).catch(() => undefined)
  state.linked = { uuids, links: linksIn(output ?? '', gpus) }
  changed()
}

/** The matrix numbers the cards as the report does. */
function linksIn(output: string, gpus: NvidiaSmiReport['gpus']): Links {
  const uuidAt = (index: number): string | null => gpus.find((gpu) => gpu.index === index)?.uuid ?? null
  return parseTopology(output).flatMap((link) => {
    const [from, to] = [uuidAt(link.from), uuidAt(link.to)]
    return from === null || to === null || link.from > link.to ? [] : [{ from, to, score: linkScore(link) }]
  })
}

function seenNow({ last, health, linked: { links } }: State, kernel: KernelLog | undefined): SeenGpus {
  const now = Date.now()
  const fault = health === 'fine' ? undefined : (health?.problem ?? 'nvidia-smi has not answered yet')
  return {
    ...last,
    uses: Object.fromEntries(Object.entries(last.uses).map(([uuid, use]) => [uuid, withXid(use, kernel?.lastOf(uuid)?.xid)])),
    ...(links.length === 0 ? {} : { links: [...links] }),
    gpus: last.gpus.map((gpu): Gpu => {
      // The kernel names the card of a slice.
      const [event, xid] = [kernel?.latestOf(gpu.parent ?? gpu.uuid), kernel?.lastOf(gpu.parent ?? gpu.uuid)]
      const isRecent = xid !== undefined && now - xid.at < XID_SHOWN_MS
      const known = { ...gpu, ...(event === undefined ? {} : { event }), ...(isRecent ? { xid } : {}) }
      return fault === undefined ? known : { ...known, healthy: false, fault }
    }),
  }
}

const withXid = (use: CardUse, lastXid: number | undefined): CardUse => (lastXid === undefined ? use : { ...use, lastXid })

function pciAddresses({ gpus }: NvidiaSmiReport): ReadonlyMap<string, string> {
  return new Map(
    gpus.flatMap(({ uuid, pciBusId }) => (uuid === null || pciBusId === null ? [] : [[toPciAddress(pciBusId), uuid] as const])),
  )
}
