// What the rest of Runyard knows of the records of endpoints, templates and registries.
import type { Endpoint, JobRecord, PullCredentials, Registry, RegistryCredentials, Template } from '@runyard/schema'

/** Gets the jobs that a call ended, once. */
export type OnEnded = (jobs: readonly JobRecord[]) => void

export interface EndpointStore {
  /**
   * Writes an endpoint under optimistic concurrency: `change` gets the current record with the same (ownerId, name, flashEnvironmentId)
   * or `id`, and returns the one to store. It may run more than once. Emits `endpoint-changed`. With `templateId` it also gets that template,
   * which is then the same when the endpoint is written; with `beside` all endpoints of that owner, none of which has changed then. A registry that
   * the endpoint newly names is its owner's in that moment.
   * @throws RunyardError('unprocessable') where it is not, or where its owner has `mostPerOwner` endpoints already.
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
  /** Removes the last keys of a deleted endpoint. */
  forget(id: string, onEnded?: OnEnded): Promise<void>
}

export interface UpsertOptions {
  readonly templateId?: string | undefined
  readonly beside?: string | undefined
  readonly mostPerOwner?: number
}

/** All records as they were in one moment. */
export interface Library {
  readonly templates: readonly Template[]
  readonly endpoints: readonly Endpoint[]
  readonly registries: readonly Registry[]
}

export interface TemplateChange {
  readonly kind: 'saved' | 'removed'
  readonly template: Template
  /** Those that change with it; their names and bound templates stay. */
  readonly endpoints: readonly Endpoint[]
}

export interface TemplateStore {
  get(id: string): Promise<Template | undefined>
  /** Of everybody, or of one owner. */
  list(ownerId?: string): Promise<readonly Template[]>
  /**
   * Writes what `decide` comes to, as a whole; it may run more than once. With an owner it sees that one's records alone. Emits `endpoint-changed` for
   * each endpoint.
   */
  change(decide: (library: Library) => TemplateChange, ownerId?: string): Promise<Template>
}

export type RegistryChange =
  | {
      readonly kind: 'saved'
      readonly registry: Registry
      readonly credentials: RegistryCredentials
      /** Who uses it. */
      readonly users: readonly Endpoint[]
    }
  | {
      readonly kind: 'removed'
      readonly registry: Registry
      /** Those that lose their reference. */
      readonly templates: readonly Template[]
    }

export interface RegistryStore {
  get(ownerId: string, id: string): Promise<Registry | undefined>
  /** Of everybody, or of one owner. */
  list(ownerId?: string): Promise<readonly Registry[]>
  /** For a pull, and nothing else. */
  credentials(ownerId: string, id: string): Promise<PullCredentials | undefined>
  /** As `TemplateStore.change`. Emits `endpoint-changed` for each user. */
  change(decide: (library: Library) => RegistryChange, ownerId?: string): Promise<Registry>
}

export interface ImageUser {
  readonly ownerId: string
  readonly registryId: string
}

export interface PrivateImageStore {
  /** Everybody may where no registry asked for credentials, or where the image was not pulled here. */
  mayUse(imageId: string, user: { readonly ownerId: string; readonly registryId: string | null }): Promise<boolean>
  /** A registry gave it out for these credentials. */
  allow(imageId: string, user: ImageUser): Promise<void>
  /** A registry gave it out without any. */
  allowEverybody(imageId: string): Promise<void>
}
