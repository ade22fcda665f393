// Decides which network sandbox a worker gets, and what becomes of those that the engine lists (ADR 56). Calls no engine. A sandbox is given away once.
// Failure direction: one that is in doubt is removed, because a worker without a sandbox only starts slower; one that a worker has joined never is.
import { randomUUID } from 'node:crypto'
import type Docker from 'dockerode'
import { LABELS, sandboxOf } from './container-spec.ts'

export type ListedContainer = Pick<Docker.ContainerInfo, 'Id' | 'Labels' | 'State'> & {
  readonly HostConfig: Pick<Docker.ContainerInfo['HostConfig'], 'NetworkMode'>
}

export interface Verdict {
  /** Sandboxes that no worker has joined, and that will not be given away. */
  readonly stray: readonly string[]
  /** Running workers whose sandbox does not run, and which have no network any more. */
  readonly stranded: readonly ListedContainer[]
}

export type SandboxPool = ReturnType<typeof createSandboxPool>

interface State {
  readonly owner: string
  wanted: number | undefined
  isMaking: boolean
  /** Since when each is ready. */
  readonly ready: Map<string, number>
  /** Until when listings may not show the worker that joins: Infinity while its start is under way. */
  readonly given: Map<string, number>
}

export function createSandboxPool(now: () => number = Date.now) {
  const state: State = { owner: randomUUID(), wanted: undefined, isMaking: false, ready: new Map(), given: new Map() }
  const { owner, ready, given } = state
  return {
    /** On the label of each sandbox: only this pool may give it away. */
    owner,
    /** How many to have ready; undefined: another scaler leads, and the engine's sandboxes are that one's to judge. */
    want: (count: number | undefined): void => void (state.wanted = count),
    lacks: (): boolean => ready.size < (state.wanted ?? 0),
    /** Forgets those that are more than wanted. */
    takeSurplus(): readonly string[] {
      const ids = [...ready.keys()].slice(state.wanted ?? 0)
      for (const id of ids) ready.delete(id)
      return ids
    },
    /** While one is being made, sandboxes of this pool that it does not know yet are no strays. */
    async making<T extends string>(make: () => Promise<T>): Promise<T> {
      state.isMaking = true
      try {
        const id = await make()
        ready.set(id, now())
        return id
      } finally {
        state.isMaking = false
      }
    },
    give(): string | undefined {
      const [id] = ready.keys()
      if (id === undefined) return undefined
      ready.delete(id)
      given.set(id, Number.POSITIVE_INFINITY)
      return id
    },
    /** The start for which it was given away has ended. */
    settle: (id: string): void => void given.set(id, now()),
    /** `askedAt`: when the listing was requested. */
    judge: (containers: readonly ListedContainer[], askedAt: number): Verdict =>
      state.wanted === undefined ? { stray: [], stranded: [] } : judge(state, containers, askedAt),
  }
}

function judge(state: State, containers: readonly ListedContainer[], askedAt: number): Verdict {
  const running = new Set(containers.filter(({ State }) => State === 'running').map(({ Id }) => Id))
  const joined = new Set(containers.flatMap(({ HostConfig }) => sandboxOf(HostConfig) ?? []))
  const sandboxes = containers.filter(({ Labels }) => Labels[LABELS.sandbox] !== undefined)
  const stray = sandboxes.filter((sandbox) => !joined.has(sandbox.Id) && isStray(state, sandbox, askedAt)).map(({ Id }) => Id)
  const stranded = containers.filter(({ Id, HostConfig }) => {
    const sandbox = sandboxOf(HostConfig)
    return sandbox !== undefined && running.has(Id) && !running.has(sandbox)
  })
  forgetGone(state, new Set(sandboxes.map(({ Id }) => Id)), askedAt)
  for (const id of stray) state.ready.delete(id)
  return { stray, stranded }
}

function isStray({ ready, given, isMaking, owner }: State, { Id, Labels, State }: ListedContainer, askedAt: number): boolean {
  const readySince = ready.get(Id)
  if (readySince !== undefined) return State !== 'running' && askedAt > readySince
  const givenUntil = given.get(Id)
  if (givenUntil !== undefined) return askedAt > givenUntil
  return !(isMaking && Labels[LABELS.sandbox] === owner)
}

/** What a listing does not show that was requested later. */
function forgetGone({ ready, given }: State, listed: ReadonlySet<string>, askedAt: number): void {
  for (const [id, since] of [...ready, ...given]) {
    if (listed.has(id) || askedAt <= since) continue
    ready.delete(id)
    given.delete(id)
  }
}
