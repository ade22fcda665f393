// The scaler process: its parts in the order in which they open.
import { hostname } from 'node:os'
import { join } from 'node:path'
import { openBlobStore } from '@runyard/blobs'
import { aborted, dataDirPath, loadConfig, runMain, settleInstallation, watchInstallation } from '@runyard/kit'
import { openStore, storeOptionsOf } from '@runyard/store'
import { followHosts } from './follow-hosts.ts'
import { defaultHosts, openHosts, withHosts } from './hosts.ts'
import { openLogThread } from './log-thread.ts'
import { openPlaneProbe } from './plane-probe.ts'
import { openScaler } from './scaler.ts'
import { isSeenGone, ownWhereabouts } from './whereabouts.ts'
import { planeProbeUrls, toPolicy, trustOf } from './settings.ts'

await runMain('scaler', async ({ config: given, log, scope, signal }) => {
  const config = await withHosts(given)
  const onError = (error: Error): void => log.debug({ err: error }, 'Redis')
  const dataDir = dataDirPath(config.dataDir, process.env)
  // Only the archives of deployed apps are read from there; what this process writes stays in Redis.
  const blobs = { store: await openBlobStore(config.blobs, join(dataDir, 'blobs')), thresholdBytes: Infinity }
  const store = scope.use(await openStore({ ...storeOptionsOf(config, 'runyard-scaler'), blobs, onError }), 'store')
  const installation = { claim: store.claimInstance, dataDir, log }
  const own = await settleInstallation(installation)
  const onRestored = (): void => store.publish({ kind: 'resync' })
  scope.use(watchInstallation({ ...installation, own, onRestored }), 'installation')
  const { id: instanceId } = own
  const source = scope.use(await openHosts({ config, instanceId, log, env: process.env }), 'hosts')

  const load = () => loadConfig({ env: process.env, cwd: process.cwd() })
  const withoutHosts = () => defaultHosts(process.env)
  scope.use(await followHosts(config.hosts ?? [], { source, load, withoutHosts, log }), 'configuration')

  const probe = scope.use(openPlaneProbe(planeProbeUrls(config)))
  const scaler = scope.use(
    await openScaler({
      store,
      source,
      config,
      log,
      ...trustOf(config, { env: process.env, dataDir }),
      policy: toPolicy(config),
      planeUpSince: () => probe.upSince(),
      facts: { machine: hostname(), pid: process.pid, dataDir, since: Date.now(), ...ownWhereabouts() },
      isGone: isSeenGone,
      openLogs: () => openLogThread({ setup: { config, instanceId }, hostOf: (driver) => source.configOf(driver), log }),
      onStanding: (standing) => {
        const leader = standing.kind === 'elsewhere' ? standing.leader : undefined
        process.send?.({ kind: 'scaling', instanceId, leader })
      },
    }),
    'scaler',
  )
  scaler.loop.start()
  log.info({ instanceId }, 'scaling')

  // Workers outlive the scaler, unless its parent process asked it to drain them.
  if (process.env['RUNYARD_DRAIN_ON_STOP'] !== '1') return
  await aborted(signal)
  if (!(await scaler.drainAll((problem) => process.send?.({ kind: 'drain-trouble', problem })))) process.send?.({ kind: 'undrained' })
})
