// Each change of an existing endpoint becomes an event in its history, a line in the log, and a notice to the client that made it.
import { describeChange, type EndpointSave } from '@runyard/core'
import type { Store } from '@runyard/store'
import type { ErrorLog } from './error-log.ts'

export interface ChangeReportDeps {
  readonly store: Pick<Store, 'events'>
  readonly log: ErrorLog
}

/** The sentence for the client; undefined where nothing changed. Never rejects: the change itself is made. */
export async function reportChange({ store, log }: ChangeReportDeps, save: EndpointSave): Promise<string | undefined> {
  const words = describeChange(save)
  if (words === undefined) return undefined
  const { before, endpoint, by } = save
  const { id: endpointId, name, updatedAt: at } = endpoint
  const { changed, isTurn, message, notice } = words
  const facts = { endpointId, endpoint: name, changed, client: by?.client, address: by?.address, before: before.savedBy }
  if (isTurn) log.warn(facts, 'two clients may change one endpoint in turn')
  else log.info(facts, 'endpoint changed')
  try {
    await store.events.append({ at, endpointId, kind: 'endpoint_changed', message })
  } catch (err) {
    log.warn({ endpointId, err }, 'the change of an endpoint is missing in its history')
  }
  return notice
}
