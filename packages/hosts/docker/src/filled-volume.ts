// A volume that is filled once and never changes: a marker that is written last marks it as complete. It is filled through a container that never
// starts, whose name is the mutex, so that concurrent calls of several processes fill it once; an abandoned container is taken over.
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { AGENT_MOUNT } from './container-spec.ts'
import { statusOf } from './docker-errors.ts'
import { findImage, followProgress, pruneReplaced } from './images.ts'
import { removeContainer } from './remove-container.ts'
import { tarOf } from './tar.ts'

const EMPTY_IMAGE = 'runyard/empty:latest'
const EMPTY_LABEL = 'runyard.empty'
const MARKER = '.complete'
const WAIT_POLL_MS = 100

export interface FilledVolume {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** A filling container that is older has lost its process. */
  readonly staleMs: number
  /** Puts archives below AGENT_MOUNT, where the filling container has it. */
  readonly fill: (filler: Docker.Container) => Promise<void>
}

/** Costs one short-lived container that is never started. */
export async function ensureFilled(docker: Docker, volume: FilledVolume): Promise<void> {
  const { name, labels, fill } = volume
  await ensureEmptyImage(docker)
  await docker.createVolume({ Name: name, Labels: { ...labels } })
  const filler = await lockFiller(docker, volume)
  try {
    if (await isComplete(filler)) return
    await fill(filler)
    const marker = tarOf((archive) => void archive.entry({ name: MARKER }, ''))
    await filler.putArchive(marker, { path: AGENT_MOUNT })
  } finally {
    await removeContainer(filler)
  }
}

/** Puts what `write` adds below AGENT_MOUNT. What breaks it off is thrown, and not the engine's complaint about half an archive. */
export async function putFiles(filler: Docker.Container, write: Parameters<typeof tarOf>[0]): Promise<void> {
  let problem: unknown
  const content = tarOf(async (tar) => {
    try {
      await write(tar)
    } catch (error) {
      problem = error
      throw error
    }
  })
  try {
    await filler.putArchive(content, { path: AGENT_MOUNT })
  } catch (error) {
    throw problem ?? error
  }
}

/** False: a container has it. A volume that is gone counts as removed. */
export async function removeVolume(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getVolume(name).remove()
    return true
  } catch (error) {
    if (statusOf(error) === 404) return true
    if (statusOf(error) === 409) return false
    throw error
  }
}

/** Any image would do to reach a volume through; this one is empty, and there without a registry. */
async function ensureEmptyImage(docker: Docker): Promise<void> {
  if ((await findImage(docker, EMPTY_IMAGE)) !== undefined) return
  const empty = tarOf((archive) => void archive.entry({ name: AGENT_MOUNT.slice(1), type: 'directory' }))
  const [repo = '', tag = ''] = EMPTY_IMAGE.split(':')
  const answer = await docker.importImage(empty, { repo, tag, changes: `LABEL ${EMPTY_LABEL}=yes` })
  await followProgress(docker, answer, () => undefined)
  // Several processes may have imported it at the same time; the last one holds the name.
  await pruneReplaced(docker, EMPTY_LABEL)
}

async function lockFiller(docker: Docker, { name: volume, labels, staleMs }: FilledVolume): Promise<Docker.Container> {
  const name = `${volume}-filler`
  const mount = { Type: 'volume' as const, Source: volume, Target: AGENT_MOUNT }
  for (;;) {
    try {
      return await docker.createContainer({
        name,
        Image: EMPTY_IMAGE,
        Cmd: ['never-started'],
        Labels: { ...labels },
        HostConfig: { Mounts: [mount] },
      })
    } catch (error) {
      if (statusOf(error) !== 409) throw error
      await removeStale(docker.getContainer(name), staleMs)
    }
    await sleep(WAIT_POLL_MS)
  }
}

async function removeStale(filler: Docker.Container, staleMs: number): Promise<void> {
  try {
    const { Created } = await filler.inspect()
    if (Date.now() - Date.parse(Created) > staleMs) await removeContainer(filler)
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}

async function isComplete(filler: Docker.Container): Promise<boolean> {
  try {
    const answer: NodeJS.ReadableStream = await filler.infoArchive({ path: `${AGENT_MOUNT}/${MARKER}` })
    // dockerode hands the answer out unread; left so, it would keep its connection, and this process, for minutes.
    answer.resume()
    return true
  } catch (error) {
    if (statusOf(error) === 404) return false
    throw error
  }
}
