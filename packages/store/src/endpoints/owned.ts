// How the records of one owner are found among those of all, without reading these: by the names of endpoints, which begin with their owner, and
// in the texts of templates and registries. In JSON a quote inside of a text is escaped, so nothing that somebody saves looks like another owner.
import type { Endpoint } from '@runyard/schema'

export function nameOf({ ownerId, name, flashEnvironmentId }: Pick<Endpoint, 'ownerId' | 'name' | 'flashEnvironmentId'>): string {
  return JSON.stringify([ownerId, name, flashEnvironmentId])
}

/** How the names of all endpoints of that owner begin. */
export function namesBegin(ownerId: string): string {
  return `[${JSON.stringify(ownerId)},`
}

/** What each record of that owner contains; a variable that is called `ownerId` may contain it, too. */
export function recordsHave(ownerId: string): string {
  return `"ownerId":${JSON.stringify(ownerId)}`
}

/** Undefined: everybody's. */
export function ownedBy<T extends { readonly ownerId: string }>(ownerId: string | undefined, records: readonly T[]): readonly T[] {
  return ownerId === undefined ? records : records.filter((record) => record.ownerId === ownerId)
}
