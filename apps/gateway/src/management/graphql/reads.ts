// What one GraphQL request reads. A query may ask for a field under any number of aliases and for each item of a list. So what was read once is not read again,
// and what a request may read and be answered is bounded (ADR 36).
import { missingResource, RESOURCE_KINDS } from '@runyard/core'
import { RunyardError, type Template } from '@runyard/schema'
import type { AppModel } from '../apps-model.ts'
import type { ManagementModel } from '../model.ts'
import type { ReadStock } from '../stock.ts'

/** Reads and changes of the store. */
const MOST_STEPS = 50
/** Items of lists in the answer, variables of endpoints included. */
const MOST_ROWS = 10_000

export type Reads = ReturnType<typeof createReads>

export interface ReadsDeps {
  readonly model: Pick<ManagementModel, 'list' | 'templates'> & { readonly apps: Pick<AppModel, 'read'> }
  readonly readStock: ReadStock
}

export function createReads({ model, readStock }: ReadsDeps, ownerId: string) {
  let steps = 0
  let rows = 0
  const forgotten: (() => void)[] = []

  /** Before anything that is not remembered; a change makes what was read outdated. @throws RunyardError('bad_request') */
  const step = (kind: 'read' | 'change'): void => {
    steps += 1
    if (steps > MOST_STEPS) throw tooMuch()
    if (kind === 'change') for (const forget of forgotten) forget()
  }
  const once = <T>(read: () => Promise<T>): (() => Promise<T>) => {
    let known: Promise<T> | undefined
    forgotten.push(() => (known = undefined))
    return () => {
      if (known === undefined) step('read')
      return (known ??= read())
    }
  }

  const templates = once(() => model.templates.list(ownerId))
  const byId = once(async () => new Map((await templates()).map((template) => [template.id, template])))
  return {
    step,
    /** Of a list that is about to be answered. @throws RunyardError('bad_request') */
    rows<T>(list: readonly T[]): readonly T[] {
      rows += list.length
      if (rows > MOST_ROWS) throw tooMuch()
      return list
    },
    endpoints: once(() => model.list(ownerId)),
    templates,
    /** A shared one. @throws RunyardError('not_found') */
    async template(id: string): Promise<Template> {
      const found = (await byId()).get(id)
      if (found === undefined) throw missingResource(RESOURCE_KINDS.templates, id)
      return found
    },
    apps: once(() => model.apps.read(ownerId)),
    stock: once(() => readStock(ownerId)),
  }
}

function tooMuch(): RunyardError {
  return new RunyardError('bad_request', 'This request asks for too much at once; ask for less, in several requests.')
}
