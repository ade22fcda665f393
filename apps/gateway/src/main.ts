// The gateway's composition root: one store, one set of shared parts, two listeners.
import { join } from 'node:path'
import { openBlobStore } from '@runyard/blobs'
import { dataDirPath, loadConfig, runMain, settleInstallation, showSettings, watchInstallation } from '@runyard/kit'
import { openStore, storeOptionsOf } from '@runyard/store'
import { acceptTls } from './accept-tls.ts'
import { checkBlobs, checkListener, checkStore, createRedisErrorLog, keepBootstrapKey, readBootstrapKey } from './bootstrap.ts'
import { countBlobErrors } from './blobs.ts'
import { followPrices } from './follow-prices.ts'
import { buildPublicApp, buildWorkerPlaneApp, listen } from './listeners.ts'
import { openGateway } from './open-gateway.ts'
import { listenTls, noteTls } from './tls.ts'

await runMain('gateway', async ({ config, log, scope }) => {
  const bootstrapKey = await readBootstrapKey(process.env)
  const dataDir = dataDirPath(config.dataDir, process.env)
  const { store: blobs, errors: blobErrors } = countBlobErrors(await openBlobStore(config.blobs, join(dataDir, 'blobs')))
  const opened = await openStore({
    ...storeOptionsOf(config, 'runyard-gateway'),
    blobs: { store: blobs, thresholdBytes: config.blobs.thresholdBytes },
    onError: createRedisErrorLog(log),
  })
  const store = scope.use(opened, 'store')
  await checkStore(store, log)
  await checkBlobs(blobs, log)
  const installation = { claim: store.claimInstance, dataDir, log }
  const own = await settleInstallation(installation)
  await keepBootstrapKey(store, { key: bootstrapKey, log, scope })
  const onRestored = (): void => store.publish({ kind: 'resync' })
  scope.use(watchInstallation({ ...installation, own, onRestored }), 'installation')
  await checkListener(config, store)

  const load = () => loadConfig({ env: process.env, cwd: process.cwd() })
  const prices = scope.use(await followPrices(config.prices, { load, log }), 'prices')
  const settings = showSettings({ ...(await load()), dataDir })
  const gateway = openGateway({ store, config, log, prices: () => prices.current(), settings, blobErrors })
  const workerPlane = await buildWorkerPlaneApp(gateway.deps)
  await acceptTls(workerPlane, { directory: join(dataDir, 'tls'), log })
  const publicApp = await buildPublicApp(gateway.deps)
  scope.defer(() => workerPlane.close(), 'worker plane')
  scope.defer(() => publicApp.close(), 'public listener')
  // Closed first: held requests get their answers, then the listeners close.
  scope.use(gateway, 'gateway')

  const workerPlaneUrl = await listen(workerPlane, config.workerPlane, 'workerPlane')
  const publicUrl = await listen(publicApp, config.listen, 'listen')
  const tls = await listenTls(publicApp, { config, dataDir, log })
  await noteTls(tls?.port, { config, dataDir })
  if (tls !== undefined) scope.use(tls, 'TLS listener')
  log.info({ publicUrl, workerPlaneUrl, tlsPort: tls?.port }, 'listening')
  process.send?.({ kind: 'listening', publicUrl, workerPlaneUrl })
})
