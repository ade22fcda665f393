// Executes a plan: one chain of actions per key, all chains in the background, so that a slow pull, start or stop never holds up the
// tick. The next plan sees running actions as in flight. A chain that fails ends, is logged, and is planned again after a pause.
import { actionKey, workerKey, type Action, type ActionOf, type InFlightKind, type LastWords, type StartAction } from '@runyard/core'
import { newWorkerId } from '@runyard/kit'
import { RunyardError, type Endpoint, type WorkerExit } from '@runyard/schema'
import type { ActDeps } from './act-deps.ts'
import { forgetEndpoint, sweep, takeBack, timeOut } from './act-on-jobs.ts'
import { createChains, isStale } from './chains.ts'
import { clearAway, readLastWords } from './clear-away.ts'
import { endTask, noteRelease, rollBack } from './act-on-releases.ts'
import { takeStandby } from './readiness.ts'
import { drain, markOutdated, reap, serveOn, stop } from './retire-worker.ts'
import { placeWorker, resumeWorker, startWorker } from './start-worker.ts'

export type Actor = ReturnType<typeof createActor>

export function createActor(deps: ActDeps, onDone: () => void) {
  const chains = createChains(deps.log, onDone)

  async function start(action: StartAction, endpoint: Endpoint): Promise<void> {
    const id = takeStandby(deps, action, endpoint) ?? newWorkerId()
    const placed = await placeWorker(deps, action, { id, endpoint }).catch((error: unknown) => {
      if (!(error instanceof RunyardError) || error.code !== 'conflict') throw error
      // The next look shows who holds the card.
      deps.log.warn({ endpointId: endpoint.id, gpus: action.gpus }, error.message)
    })
    if (placed !== undefined) chains.run(workerKey(id), 'start', (signal) => startWorker(deps, placed, signal))
  }

  /** Only a start can be under way for the same key: a stop breaks it off, a drain leaves it be. */
  function runChain(key: string, actions: readonly ChainAction[]): void {
    const before = chains.of(key)
    chains.run(key, 'other', async () => {
      if (actions.some((action) => action.kind === 'stop')) {
        for (const chain of before) chain.abort()
        await Promise.all(before.map(({ done }) => done))
      }
      const context: ChainContext = { lastWords: undefined }
      for (const action of actions) await counted(deps, action, perform(deps, action, context))
    })
  }

  return {
    /** Resolves when new workers are on record; everything else goes on in the background. */
    async apply(actions: readonly Action[], endpoints: ReadonlyMap<string, Endpoint>): Promise<void> {
      const others = actions.filter((action) => action.kind !== 'start' && action.kind !== 'resume')
      for (const [key, chain] of Map.groupBy(others, actionKey)) runChain(key, chain)
      for (const action of actions) {
        const endpoint = action.kind === 'resume' ? endpoints.get(action.endpointId) : undefined
        if (action.kind !== 'resume' || endpoint === undefined) continue
        chains.run(workerKey(action.workerId), 'start', (signal) => resumeWorker(deps, { ...action, endpoint }, signal))
      }
      const starts = actions.filter((action) => action.kind === 'start')
      await Promise.all(
        starts.map(async (action) => {
          const endpoint = endpoints.get(action.endpointId)
          if (endpoint !== undefined) await start(action, endpoint)
        }),
      )
    },
    inFlight: (): ReadonlyMap<string, InFlightKind> => chains.inFlight(),
    // Workers stay as they are; only what waits for a pull or a pause is broken off.
    [Symbol.asyncDispose]: () => chains[Symbol.asyncDispose](),
  }
}

async function counted({ numbers }: ActDeps, { kind }: Action, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isStale(error)) numbers.actionFailed(kind)
    throw error
  })
}

interface ChainContext {
  /** Read once per chain: the evidence for all of a worker's jobs. */
  lastWords: Promise<LastWords | undefined> | undefined
}

type ChainAction = Exclude<Action, StartAction | ActionOf<'resume'>>

type ByKind = { readonly [A in ChainAction as A['kind']]: A }

const PERFORM: { readonly [K in keyof ByKind]: (deps: ActDeps, action: ByKind[K], context: ChainContext) => Promise<void> } = {
  'mark-outdated': markOutdated,
  'serve-on': serveOn,
  drain,
  stop,
  reap,
  'time-out': timeOut,
  'take-back': async (deps, action, context) => takeBack(deps, action, await lastWordsOf(deps, action, context)),
  remove: async (deps, action, context) => remove(deps, action, (await lastWordsOf(deps, action, context))?.exit),
  sweep,
  'note-release': noteRelease,
  'roll-back': rollBack,
  'end-task': endTask,
  'forget-endpoint': forgetEndpoint,
}

function perform<K extends keyof ByKind>(deps: ActDeps, action: ByKind[K] & { readonly kind: K }, context: ChainContext): Promise<void> {
  return PERFORM[action.kind](deps, action, context)
}

function lastWordsOf(
  deps: ActDeps,
  { endpointId, hostId, workerId }: Pick<ActionOf<'take-back'>, 'endpointId' | 'hostId' | 'workerId'>,
  context: ChainContext,
): Promise<LastWords | undefined> {
  if (hostId === undefined || workerId === undefined) return Promise.resolve(undefined)
  context.lastWords ??= readLastWords(deps, { endpointId, hostId, workerId })
  return context.lastWords
}

async function remove(deps: ActDeps, action: ActionOf<'remove'>, exit: WorkerExit | undefined): Promise<void> {
  const record = await deps.store.workers.get(action.endpointId, action.workerId)
  // The host on which it was seen; the record may have the host's earlier name.
  if (record !== undefined)
    await clearAway(deps, { ...record, hostId: action.hostId }, { reason: action.reason, exit, isStartFailure: action.isStartFailure })
}
