// The port to the records of endpoints.
import type { Endpoint, JobRecord, Template } from '@runyard/schema'

/** Gets the jobs that a call ended, once. */
export type OnEnded = (jobs: readonly JobRecord[]) => void

export interface EndpointStore {
  /**
   * Writes an endpoint under optimistic concurrency: `change` gets the current record with the same (ownerId, name, flashEnvironmentId)
   * or `id`, and returns the one to store. It may run more than once. Emits `endpoint-changed`. With `templateId` it also gets that template,
   * which is then the same when the endpoint is written; with `beside` all endpoints of that owner, none of which has changed then. Each resource
   * that the endpoint newly names exists at that moment.
   * @throws RunyardError('unprocessable') where one does not, or where its owner has `mostPerOwner` endpoints already.
   */
  upsert(
    find: { id: string } | { ownerId: string; name: string; flashEnvironmentId: string | null },
    change: (current: Endpoint | undefined, template: Template | undefined, beside: readonly Endpoint[]) => Endpoint,
    options?: UpsertOptions,
  ): Promise<Endpoint>
  get(id: string): Promise<Endpoint | undefined>
  /** Of everybody, or of one owner. Everybody's are read again when one has changed since. */
  list(ownerId?: string): Promise<readonly Endpoint[]>
  /** The endpoint whose bound template this is (`Endpoint.templateId`). */
  findByTemplate(templateId: string): Promise<Endpoint | undefined>
  /** Marks it deleted and cancels its queued and running jobs; the scaler retires its workers and then calls `forget`. False if unknown. */
  delete(id: string, onEnded?: OnEnded): Promise<boolean>
  /** Ids that are deleted but still have workers or keys. */
  listDeleted(): Promise<readonly string[]>
  /** Whose these deleted endpoints were, as long as something is left of them: it still belongs to no other owner. Others are left out. */
  goneOwners(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** All such ids. */
  goneIds(): Promise<readonly string[]>
  /** What they were called, as long as their owners are known. Absent: they were deleted by an earlier release. */
  goneNames(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Removes the last keys of a deleted endpoint. */
  forget(id: string, onEnded?: OnEnded): Promise<void>
}

export interface UpsertOptions {
  readonly templateId?: string | undefined
  readonly beside?: string | undefined
  readonly mostPerOwner?: number
}
