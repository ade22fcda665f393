// What must hold before the gateway serves anybody: a Redis that keeps what it accepts, the first key, and no wide listener without keys.
import { RunyardError, type BlobStore, type Config } from '@runyard/schema'
import type { Logger, Scope } from '@runyard/kit'
import type { Store } from '@runyard/store'

/** Owner of the key that the supervisor passes in. */
export const BOOTSTRAP_OWNER = 'owner'

/** Imports a plain key if it is not known yet. Gateways that start at the same time may all try: one of them does it. */
export async function importBootstrapKey(store: Pick<Store, 'keys'>, plain: string | undefined): Promise<void> {
  if (plain === undefined || plain === '' || (await store.keys.verify(plain)) !== undefined) return
  await store.keys.create({ name: 'bootstrap', ownerId: BOOTSTRAP_OWNER, plain }).catch((error: unknown) => {
    if (!(error instanceof RunyardError && error.code === 'conflict')) throw error
  })
}

/** Imports it now, and again where Redis was emptied: whoever puts the installation back says so. */
export async function keepBootstrapKey(
  store: Pick<Store, 'keys' | 'subscribe'>,
  { plain, log, scope }: { readonly plain: string | undefined; readonly log: Pick<Logger, 'warn'>; readonly scope: Pick<Scope, 'use'> },
): Promise<void> {
  await importBootstrapKey(store, plain)
  const again = store.subscribe(({ kind }) => {
    if (kind !== 'resync') return
    importBootstrapKey(store, plain).catch((error: unknown) => log.warn({ err: error }, 'the bootstrap key was not imported again'))
  })
  scope.use(again, 'bootstrap key')
}

/** Other problems are logged: a managed Redis may be durable in its own way. @throws RunyardError when Redis may evict jobs, or is too old. */
export async function checkStore(store: Pick<Store, 'problems'>, log: Logger): Promise<void> {
  for (const { kind, message } of await store.problems()) {
    if (kind === 'may_evict' || kind === 'too_old') throw new RunyardError('conflict', message)
    log.warn(message)
  }
}

/** Wrong keys for a bucket should not wait for the first large job to be told. What is away now may be back by then. */
export async function checkBlobs(blobs: Pick<BlobStore, 'list'>, log: Logger): Promise<void> {
  try {
    await blobs.list('probe')[Symbol.asyncIterator]().next()
  } catch (error) {
    log.warn(error instanceof Error ? error.message : String(error))
  }
}

/** @throws RunyardError when the public listener would be open to a network without any key. */
export async function checkListener({ listen }: Config, store: Pick<Store, 'keys'>): Promise<void> {
  if (isLoopback(listen.host) || (await store.keys.list()).length > 0) return
  throw new RunyardError(
    'forbidden',
    `The public listener would be reachable at ${listen.host} without any API key: create a key first, or leave listen.host at 127.0.0.1.`,
  )
}

const REPEAT_AFTER_MS = 60_000

/** Reconnecting fails several times a second: the same trouble is told once a minute. */
export function createRedisErrorLog(log: Logger): (error: Error) => void {
  let last = { message: '', at: 0 }
  return (error) => {
    const now = Date.now()
    if (error.message === last.message && now - last.at < REPEAT_AFTER_MS) return
    last = { message: error.message, at: now }
    log.warn(error instanceof RunyardError ? error.message : `Redis: ${error.message}`)
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
