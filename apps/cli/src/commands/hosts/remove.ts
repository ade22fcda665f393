// `runyard hosts remove`: takes a host out of the file that the scaler follows. Workers that run there are not left behind: the command refuses, or ends them.
import { openHost } from '@runyard/hosts'
import { readOwn, removeHost, sentenceOf } from '@runyard/kit'
import { RunyardError, type HostConfig } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { CommandContext } from '../../command.ts'
import { findHost, loadHostSettings, onlyHost, readPool, refuseVariable, type HostSettings, type PoolHost } from '../../hosts/pool.ts'
import { hostSettings } from '../../stack/host-choice.ts'
import { withStore } from '../../stack/with-store.ts'

export async function remove(context: CommandContext): Promise<number> {
  const { out, options } = context
  const word = onlyHost(context)
  const settings = await loadHostSettings(context)
  refuseVariable(settings)
  return withStore(context, 'hosts', async (store) => {
    const host = findHost(await readPool(store, settings.config), word)
    const index = settings.config.hosts?.findIndex(({ id }) => id === host.name) ?? -1
    if (host.config === undefined || index === -1) {
      throw new RunyardError('not_found', `the host "${host.name}" is not in ${settings.file}, so there is nothing to remove.`)
    }
    if (host.workers.length > 0 && options['force'] !== true) throw inUse(host)
    await endWorkers(context, { store, settings, host, config: host.config })
    await removeHost(settings.file, index)
    if (host.record !== undefined) await store.hosts.forget(host.record.hostId)
    out.line(`${host.name} is not in ${settings.file} any more; a running Runyard lets go of it within seconds`)
    return 0
  })
}

function inUse({ name, workers }: PoolHost): RunyardError {
  const count = workers.length === 1 ? '1 worker runs' : `${workers.length} workers run`
  return new RunyardError('conflict', `${count} on ${name}: \`runyard hosts drain ${name} --wait\` lets them finish, --force ends them.`)
}

interface Ending {
  readonly store: Store
  readonly settings: HostSettings
  readonly host: PoolHost
  readonly config: HostConfig
}

/** The cordon first, so that nothing starts there meanwhile. A host without workers may still have something ready for them. */
async function endWorkers({ env, err }: CommandContext, { store, settings, host, config }: Ending): Promise<void> {
  if (host.record !== undefined) await store.hosts.putCordon(host.record.hostId, { since: Date.now(), reason: 'it is being removed' })
  const own = await readOwn(settings.dataDir)
  await using driver = openHost(config, hostSettings({ config: settings.config, env }, own?.id))
  if (host.workers.length === 0 && (await driver.probe()).kind === 'failed') return
  try {
    await driver.removeAll()
  } catch (error) {
    err.line(`its workers could not be ended (${sentenceOf(error)}); they may still run there`)
  }
}
