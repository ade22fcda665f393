// The releases of an endpoint for the management surfaces (ADR 64).
import { diffReleases, releaseOf, restored, type FieldChange } from '@runyard/core'
import { RunyardError, type Endpoint, type Release } from '@runyard/schema'
import type { Store } from '@runyard/store'

export interface ListedRelease {
  readonly release: Release
  /** Against the one before it. */
  readonly diff: readonly FieldChange[]
}

export type ReleaseModel = ReturnType<typeof createReleaseModel>

type ReleaseDeps = Pick<Store, 'releases' | 'endpoints' | 'resources'>

interface Tools {
  readonly get: (ownerId: string, id: string) => Promise<Endpoint>
  readonly clock: () => number
}

/** After a save. */
export async function noteRelease(deps: ReleaseDeps, before: Endpoint | undefined, endpoint: Endpoint): Promise<void> {
  if (before?.version !== endpoint.version) await deps.releases.add(endpoint.id, await describe(deps, endpoint))
}

async function describe({ resources }: ReleaseDeps, endpoint: Endpoint): Promise<Release> {
  const { ownerId, flashEnvironmentId } = endpoint
  const environment = flashEnvironmentId === null ? undefined : await resources.environments.find(ownerId, flashEnvironmentId)
  return releaseOf(endpoint, environment?.activeBuildId ?? undefined)
}

export function createReleaseModel(store: ReleaseDeps, { get, clock }: Tools) {
  const read = async (endpoint: Endpoint): Promise<readonly Release[]> => {
    const kept = await store.releases.list(endpoint.id)
    const current = await describe(store, endpoint)
    // What wrote it may have stopped before the list had it, or have been the scaler.
    return kept[0]?.version === current.version ? kept : [current, ...kept.filter(({ version }) => version !== current.version)]
  }
  return {
    /** Newest first; the first is the one that new workers run. @throws RunyardError('not_found') */
    async list(ownerId: string, id: string): Promise<{ readonly endpoint: Endpoint; readonly releases: readonly ListedRelease[] }> {
      const endpoint = await get(ownerId, id)
      const all = await read(endpoint)
      return { endpoint, releases: all.map((release, at) => ({ release, diff: diffReleases(all[at + 1], release) })) }
    },
    /** Saves an earlier one again, as a new version; default: the one before the current. @throws RunyardError('not_found' | 'conflict') */
    async rollBack(
      ownerId: string,
      id: string,
      { version, by }: { readonly version?: number | undefined; readonly by: string },
    ): Promise<Endpoint> {
      const endpoint = await get(ownerId, id)
      const wanted = findWanted(await read(endpoint), endpoint, version)
      await refuseLostBuild(store, endpoint, wanted)
      const at = clock()
      let before: Endpoint | undefined
      const saved = await store.endpoints.upsert({ id }, (current) => {
        if (current?.version !== endpoint.version) throw new RunyardError('conflict', 'The endpoint was saved in the meantime; look again.')
        before = current
        return restored(current, wanted, { at, by })
      })
      await noteRelease(store, before, saved)
      return saved
    },
  }
}

function findWanted(all: readonly Release[], { name, specHash }: Endpoint, version: number | undefined): Release {
  const found =
    version === undefined ? all.find((release) => release.specHash !== specHash) : all.find((release) => release.version === version)
  if (found === undefined)
    throw new RunyardError(
      'not_found',
      `The endpoint "${name}" has no ${version === undefined ? 'earlier release' : `release ${version}`}.`,
    )
  if (found.specHash === specHash)
    throw new RunyardError('conflict', `The endpoint "${name}" runs the spec of release ${found.version} already.`)
  return found
}

/** Old settings with new code would be neither of the two. @throws RunyardError('conflict') */
async function refuseLostBuild({ resources }: ReleaseDeps, { ownerId }: Endpoint, { version, buildId }: Release): Promise<void> {
  if (buildId === undefined || (await resources.builds.find(ownerId, buildId)) !== undefined) return
  const sentence = `The build of release ${version} was removed, because newer ones are kept in its place (apps.keepBuilds): deploy that code again.`
  throw new RunyardError('conflict', sentence)
}
