// The gateway's composition root: one store, one set of shared parts, two listeners.
import { join } from 'node:path'
import { openBlobStore } from '@runyard/blobs'
import { dataDirPath, runMain } from '@runyard/kit'
import { openStore, storeOptionsOf } from '@runyard/store'
import { checkBlobs, checkListener, checkStore, createRedisErrorLog, importBootstrapKey } from './bootstrap.ts'
import { listen } from './listen.ts'
import { openGateway } from './open-gateway.ts'
import { buildPublicApp } from './public-app.ts'
import { buildWorkerPlaneApp } from './worker-plane-app.ts'

await runMain('gateway', async ({ config, log, scope }) => {
  const blobs = await openBlobStore(config.blobs, join(dataDirPath(config.dataDir, process.env), 'blobs'))
  const opened = await openStore({
    ...storeOptionsOf(config, 'runyard-gateway'),
    blobs: { store: blobs, thresholdBytes: config.blobs.thresholdBytes },
    onError: createRedisErrorLog(log),
  })
  const store = scope.use(opened, 'store')
  await checkStore(store, log)
  await checkBlobs(blobs, log)
  await importBootstrapKey(store, process.env['RUNYARD_BOOTSTRAP_KEY'])
  await checkListener(config, store)

  const gateway = openGateway({ store, config, log })
  const workerPlane = await buildWorkerPlaneApp(gateway.deps)
  const publicApp = await buildPublicApp(gateway.deps)
  scope.defer(() => workerPlane.close(), 'worker plane')
  scope.defer(() => publicApp.close(), 'public listener')
  // Closed first: held requests get their answers, then the listeners close.
  scope.use(gateway, 'gateway')

  const workerPlaneUrl = await listen(workerPlane, config.workerPlane, 'workerPlane')
  const publicUrl = await listen(publicApp, config.listen, 'listen')
  log.info({ publicUrl, workerPlaneUrl }, 'listening')
  process.send?.({ kind: 'listening', publicUrl, workerPlaneUrl })
})
