// Finds the records of one owner without reading all: by the names of endpoints, which begin with their owner, and by a search in the texts of
// templates and registries. JSON escapes quotes inside texts, so no saved text can look like another owner.
import { deployedName } from '@runyard/core'
import type { Endpoint } from '@runyard/schema'

export function nameOf({ ownerId, name, flashEnvironmentId }: Pick<Endpoint, 'ownerId' | 'name' | 'flashEnvironmentId'>): string {
  return JSON.stringify([ownerId, flashEnvironmentId === null ? name : deployedName(name), flashEnvironmentId])
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
