// Decides where the worker plane listens. A configured port is used, or `up` fails. The default port may be replaced by a free one, because workers get
// the address at their start; firewall rules name a port, so the change is printed.
import { RunyardError } from '@runyard/schema'
import type { Settings } from '../settings.ts'
import type { Listener } from './parts.ts'
import { claimPort } from './ports.ts'

interface PlaneOptions {
  /** Where the workers of the chosen hosts reach us; undefined: the hosts do not know. */
  readonly planeHost: string | undefined
  readonly say: (line: string) => void
}

/** @throws RunyardError with one sentence. */
export async function claimPlane({ config, origins }: Pick<Settings, 'config' | 'origins'>, options: PlaneOptions): Promise<Listener> {
  const { port } = config.workerPlane
  const host = origins['workerPlane.host'] === 'default' ? options.planeHost : config.workerPlane.host
  if (host === undefined) {
    throw new RunyardError('bad_request', 'No host knows an address of this machine that its workers reach; set workerPlane.host to one.')
  }
  const claimed = claimPort({ host, port, section: 'workerPlane', mend: 'set workerPlane.port to another' })
  if (origins['workerPlane.port'] !== 'default') return { host, port: await claimed }
  return claimed.then(
    (found) => ({ host, port: found }),
    async () => {
      const other = await claimPort({ host, port: 0, section: 'workerPlane', mend: 'set workerPlane.host to an address of this machine' })
      options.say(`workers reach port ${other} instead of ${port}, since that is taken; firewall rules must name ${other}`)
      return { host, port: other }
    },
  )
}
