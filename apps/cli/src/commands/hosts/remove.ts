// `runyard hosts remove`: takes a host out of the file that the scaler follows. Workers that run there are not left behind: the command refuses, or ends them.
import { setTimeout as sleep } from 'node:timers/promises'
import { openHost } from '@runyard/hosts'
import { readOwn, removeHost, sentenceOf } from '@runyard/kit'
import { RunyardError, type Cleared, type HostConfig, type HostDriver } from '@runyard/schema'
import type { CommandContext } from '../../command.ts'
import { findHost, onlyHost, openPool, refuseVariable, type HostSettings, type Pool, type PoolHost } from '../../hosts/pool.ts'
import { readRunning } from '../../stack/data-dir.ts'
import { hostSettings } from '../../stack/host-choice.ts'

/** It looks at its file every two seconds, and waits until it is not being written. */
const LET_GO_WITHIN_MS = 20_000
const LOOK_EVERY_MS = 200

export async function remove(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyHost(context)
  const { client, settings, read } = await openPool(context, { needsFile: true })
  if (settings === undefined)
    throw new RunyardError('conflict', 'that Runyard’s hosts are in a file on its own machine: remove the host there.')
  refuseVariable(settings)
  const pool = await read()
  const host = findHost(pool, word)
  const index = settings.config.hosts?.findIndex(({ id }) => id === host.name) ?? -1
  if (host.config === undefined || index === -1) {
    throw new RunyardError('not_found', `the host "${host.name}" is not in ${settings.file}, so there is nothing to remove.`)
  }
  if (host.workers.length > 0 && options['force'] !== true) throw inUse(host)
  const cleared = await takeOut(context, { client, settings, pool, host, config: host.config, index })
  out.line(`${host.name} is not in ${settings.file} any more${cleared === undefined ? '' : `; ${describe(cleared)}`}`)
  return 0
}

function describe({ removed, kept }: Cleared): string {
  const gone = removed.length === 0 ? '' : `removed there: ${removed.join(', ')}; `
  return `${gone}left there: ${['images', ...kept].join(', ')}`
}

interface Removal {
  readonly client: Pool['client']
  readonly settings: HostSettings
  readonly pool: readonly PoolHost[]
  readonly host: PoolHost
  readonly config: HostConfig
  /** Its place in the file. */
  readonly index: number
}

/**
 * The cordon comes first and goes last, so that the scaler starts nothing there until it has let go of the host. What is kept there for later workers goes
 * at the end. Undefined: the host was left as it is.
 */
async function takeOut(context: CommandContext, removal: Removal): Promise<Cleared | undefined> {
  const { client, settings, host, index } = removal
  const { name, record } = host
  if (record !== undefined) await client.hosts.cordon(record.hostId, { reason: 'it is being removed' })
  const hasEnded = await onHost(context, removal, endWorkers)
  await removeHost(settings.file, index)
  if (record !== undefined && !(await isLetGo(client, settings, record.hostId))) {
    context.err.line(`the scaler has not let go of ${name} yet, and its log says why; until then the host stays cordoned`)
    return undefined
  }
  // Again: a start may have begun before the cordon.
  const cleared = hasEnded === true ? await onHost(context, removal, clear) : undefined
  if (record !== undefined) await client.hosts.forget(record.hostId)
  return cleared
}

async function endWorkers(driver: HostDriver): Promise<true> {
  await driver.removeAll()
  return true
}

async function clear(driver: HostDriver): Promise<Cleared | undefined> {
  await driver.removeAll()
  return await driver.clear?.()
}

/** A host without workers may still have something ready for them. Undefined: it does not answer, or is another host of the list, too. */
async function onHost<T>(
  { env, err }: CommandContext,
  { settings, host, config, pool }: Removal,
  act: (driver: HostDriver) => Promise<T>,
): Promise<T | undefined> {
  const own = await readOwn(settings.dataDir)
  try {
    await using driver = openHost(config, hostSettings({ config: settings.config, env }, own?.id))
    if (host.workers.length === 0 && (await driver.probe()).kind === 'failed') return undefined
    const identity = await driver.identify()
    // The workers there are those of another host of the list, which is the same engine.
    if (pool.some(({ name, record }) => name !== host.name && record?.hostId === identity)) return undefined
    return await act(driver)
  } catch (error) {
    err.line(`what it runs could not be removed (${sentenceOf(error)}); it may still run there`)
    return undefined
  }
}

/** Whether no running scaler has the host any more. */
async function isLetGo(client: Pool['client'], { dataDir }: HostSettings, hostId: string): Promise<boolean> {
  for (const until = Date.now() + LET_GO_WITHIN_MS; Date.now() < until; await sleep(LOOK_EVERY_MS)) {
    if ((await readRunning(dataDir)) === undefined) return true
    const found = (await client.hosts.list()).find(({ id }) => id === hostId)
    if (found === undefined || found.sight === null) return true
  }
  return false
}

function inUse({ name, workers }: PoolHost): RunyardError {
  const count = workers.length === 1 ? '1 worker runs' : `${workers.length} workers run`
  return new RunyardError('conflict', `${count} on ${name}: \`runyard hosts drain ${name} --wait\` lets them finish, --force ends them.`)
}
