// The program of the thread that follows logs: its own connection to Redis, its own drivers, which it opens as orders name their hosts, orders from the scaler's thread (`log-thread.ts`).
import { parentPort, workerData } from 'node:worker_threads'
import { createLogger } from '@runyard/kit'
import { openWorkerLogs, storeOptionsOf } from '@runyard/store'
import { createOwnHosts, openOwnHost } from './hosts.ts'
import { createLogFollower } from './log-follower.ts'
import type { LogOrder, LogReport, LogThreadSetup } from './log-thread.ts'

const port = parentPort
if (port === null) throw new Error('This program runs as a thread of the scaler only.')
const { config, instanceId } = workerData as LogThreadSetup
const log = createLogger({ name: 'scaler-logs', level: config.log.level })
const scope = new AsyncDisposableStack()
const onError = (error: Error): void => log.debug({ err: error }, 'Redis')
const store = scope.use(await openWorkerLogs({ ...storeOptionsOf(config, 'runyard-scaler-logs'), onError }))
const hosts = scope.use(createOwnHosts((host) => openOwnHost(host, { config, instanceId, env: process.env })))
const logs = scope.use(createLogFollower({ store, log }))

port.on('message', (order: LogOrder) => {
  switch (order.kind) {
    case 'follow': {
      logs.follow(hosts.of(order.host), order.workerId)
      return
    }
    case 'finish':
      void logs.finish(order.workerId).then(() => port.postMessage({ kind: 'finished', workerId: order.workerId } satisfies LogReport))
      return
    case 'stop':
      void scope.disposeAsync().then(() => port.close())
  }
})
