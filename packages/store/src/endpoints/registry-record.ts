// How a registry is kept: found only together with its owner, so that nobody can name somebody else's, and with user and password in it.
import { quoted, RunyardError } from '@runyard/schema'
import type { Registry } from '@runyard/schema'
import { readRegistry } from '../data/records.ts'

/** Without its secrets. */
export function toRegistry(text: string): Registry {
  const { username: _username, password: _password, ...registry } = readRegistry(text)
  return registry
}

/** The field of its record; no id that somebody makes up leads into another owner's. */
export function registryField(ownerId: string, id: string): string {
  return JSON.stringify([ownerId, id])
}

export function unknownRegistry(id: string): RunyardError {
  return new RunyardError(
    'unprocessable',
    `Registry credentials ${quoted(id)} were not found; \`runyard registries list\` shows what there is.`,
  )
}
