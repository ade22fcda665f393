// Releases as objects (ADR 64): what each save that changed an endpoint's spec made of it, how two of them differ, and how an earlier one comes back.
import { HIDDEN_VALUE } from '../key-scopes.ts'
import type { Endpoint, Release } from '@runyard/schema'
import { isSame } from './spec-hash.ts'

/** `activeBuildId`: of its environment. */
export function releaseOf(
  { version, type, spec, specHash, updatedAt, savedBy, buildId: pinned }: Endpoint,
  activeBuildId?: string,
): Release {
  const buildId = pinned ?? activeBuildId
  return {
    version,
    type,
    spec,
    specHash,
    ...(buildId === undefined ? {} : { buildId }),
    at: updatedAt,
    ...(savedBy === undefined ? {} : { savedBy }),
  }
}

export interface FieldChange {
  readonly field: string
  readonly old: unknown
  readonly new: unknown
}

/** Values of environment variables may be secrets: only their names are shown. `before`: undefined for the first release. */
export function diffReleases(before: Release | undefined, after: Release): readonly FieldChange[] {
  if (before === undefined) return []
  const { env: oldEnv, ...old } = { type: before.type, ...before.spec }
  const { env: newEnv, ...next } = { type: after.type, ...after.spec }
  const fields = Object.keys({ ...old, ...next }) as (keyof typeof next)[]
  const names = [...new Set([...Object.keys(oldEnv), ...Object.keys(newEnv)])].filter((name) => oldEnv[name] !== newEnv[name])
  return [
    ...fields.flatMap((field) => (isSame(old[field], next[field]) ? [] : [{ field, old: old[field] ?? null, new: next[field] ?? null }])),
    ...names.map((name) => ({ field: `env.${name}`, old: hidden(oldEnv[name]), new: hidden(newEnv[name]) })),
  ]
}

const hidden = (value: string | undefined): string | null => (value === undefined ? null : HIDDEN_VALUE)

/** The endpoint with that release as a new version; the same one where it has that spec. It follows no shared template any more. */
export function restored(endpoint: Endpoint, release: Release, { at, by }: { readonly at: number; readonly by: string }): Endpoint {
  const { spec, specHash, type, buildId } = release
  if (specHash === endpoint.specHash) return endpoint
  const { sharedTemplateId: _link, pinnedImage: _pin, buildId: _build, ...rest } = endpoint
  const pastSpecs = [{ specHash: endpoint.specHash, until: at }, ...(endpoint.pastSpecs ?? [])].slice(0, 4)
  const back = buildId === undefined ? {} : { buildId }
  return { ...rest, ...back, spec, specHash, type, version: endpoint.version + 1, updatedAt: at, savedBy: by, echo: {}, pastSpecs }
}
