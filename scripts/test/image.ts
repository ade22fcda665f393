// Builds the default worker image with the same code as `runyard up`, if an engine responds.
import { join } from 'node:path'
import { ensureWorkerImage, openEngine } from '../../packages/hosts/docker/src/index.ts'
import { firstMissing } from '../../test/harness/machine.ts'
import { attempt, type Say } from './setup.ts'

const DOCKERFILE = join(import.meta.dirname, '..', '..', 'docker', 'worker.Dockerfile')
const SOCKET = '/var/run/docker.sock'

export async function makeWorkerImage(say: Say): Promise<void> {
  if ((await firstMissing(['docker'])) !== undefined) return
  await attempt(say, 'the worker image', async () => {
    const { image, built } = await ensureWorkerImage({
      engine: openEngine({ kind: 'unix', socket: SOCKET }),
      dockerfile: DOCKERFILE,
      onProgress: onlyHeadlines(say),
    })
    if (built) say(`the worker image ${image} is built`)
  })
}

/** A build prints thousands of lines; its steps are enough. */
function onlyHeadlines(say: Say): (line: string) => void {
  return (line) => {
    if (/^(?:Step |building |making |[a-z]+ing )/.test(line)) say(line.slice(0, 160))
  }
}
