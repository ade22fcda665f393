// What must hold before the gateway serves requests: a Redis that keeps what it accepts, the first key, and no listener open to a network without keys.
import { readFile } from 'node:fs/promises'
import { machineId, type Logger, type Scope } from '@runyard/kit'
import { errorMessage, OPERATOR_OWNER, RunyardError, type BlobStore, type Config } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { isLoopback } from './http/base-url.ts'

export interface BootstrapKey {
  /** The place of the key: once the slot has another key, the former one is not valid any more (ADR 38). */
  readonly slot: string
  readonly name: string
  readonly plain: string
}

/**
 * `RUNYARD_BOOTSTRAP_KEY_FILE` names the key file of a data directory; `RUNYARD_BOOTSTRAP_KEY` is the key itself, and is removed from `env`.
 * Undefined: neither is set.
 */
export async function readBootstrapKey(env: NodeJS.ProcessEnv): Promise<BootstrapKey | undefined> {
  const { RUNYARD_BOOTSTRAP_KEY: plain = '', RUNYARD_BOOTSTRAP_KEY_FILE: file = '' } = env
  delete env['RUNYARD_BOOTSTRAP_KEY']
  if (file === '') return plain === '' ? undefined : { slot: 'bootstrap', name: 'bootstrap', plain }
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RunyardError('bad_request', `The key file ${file} cannot be read (${error.code}).`, { cause: error })
  })
  return { slot: `${machineId()}:${file}`, name: file, plain: text.trim() }
}

/** Installs the key now, and again after Redis was emptied: the process that restores the installation publishes a `resync`. */
export async function keepBootstrapKey(
  store: Pick<Store, 'keys' | 'subscribe'>,
  { key, log, scope }: { readonly key: BootstrapKey | undefined; readonly log: Pick<Logger, 'warn'>; readonly scope: Pick<Scope, 'use'> },
): Promise<void> {
  await installBootstrapKey(store, key, log)
  const again = store.subscribe(({ kind }) => {
    if (kind !== 'resync' || key === undefined) return
    // A slot that has a key keeps it: this one may have been rotated meanwhile.
    const restored = store.keys.install({ ...key, ownerId: OPERATOR_OWNER, onlyIfAbsent: true })
    restored.catch((error: unknown) => log.warn({ err: error }, 'the bootstrap key was not imported again'))
  })
  scope.use(again, 'bootstrap key')
}

/** Gateways that start at the same time may all do it. A revoked key is not restored: other keys keep working, and the log says what to do. */
export async function installBootstrapKey(
  store: Pick<Store, 'keys'>,
  key: BootstrapKey | undefined,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  if (key === undefined || (await store.keys.install({ ...key, ownerId: OPERATOR_OWNER }))) return
  log.warn(
    { key: key.name },
    'the bootstrap key was revoked and is not restored: delete the key file, and the next start makes another key',
  )
}

/** Other problems are logged: a managed Redis may be durable in its own way. @throws RunyardError when Redis may evict jobs, or is too old. */
export async function checkStore(store: Pick<Store, 'problems'>, log: Logger): Promise<void> {
  for (const { kind, message } of await store.problems()) {
    if (kind === 'may_evict' || kind === 'too_old') throw new RunyardError('conflict', message)
    log.warn(message)
  }
}

/** Reports wrong keys for a bucket at the start and not with the first large job. Only a warning, since a store that is away now may be back by then. */
export async function checkBlobs(blobs: Pick<BlobStore, 'list'>, log: Logger): Promise<void> {
  try {
    await blobs.list('probe')[Symbol.asyncIterator]().next()
  } catch (error) {
    log.warn(errorMessage(error))
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

/** Reconnecting fails several times a second: the same error is logged once a minute. */
export function createRedisErrorLog(log: Logger): (error: Error) => void {
  let last = { message: '', at: 0 }
  return (error) => {
    const now = Date.now()
    if (error.message === last.message && now - last.at < REPEAT_AFTER_MS) return
    last = { message: error.message, at: now }
    log.warn(error instanceof RunyardError ? error.message : `Redis: ${error.message}`)
  }
}
