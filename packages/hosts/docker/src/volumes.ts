// Removes the data of a volume from an engine (ADR 71).
import { posix } from 'node:path'
import { RunyardError, type VolumeData } from '@runyard/schema'
import type Docker from 'dockerode'
import { WORKER_IMAGE } from './images.ts'
import { statusOf } from './docker-errors.ts'
import { runProbe } from './probe-container.ts'
import { volumeName } from './volume-mounts.ts'

const PARENT = '/runyard-volumes'

/** False: a container uses it. A directory is emptied by a container, because it is on the engine's machine. */
export async function removeVolumeData(docker: Docker, { volumeId, directory }: VolumeData): Promise<boolean> {
  if (directory !== undefined) return removeDirectory(docker, directory)
  try {
    await docker.getVolume(volumeName(volumeId)).remove()
    return true
  } catch (error) {
    if (statusOf(error) === 404) return true
    if (statusOf(error) === 409) return false
    throw error
  }
}

async function removeDirectory(docker: Docker, directory: string): Promise<boolean> {
  const { exitCode, output } = await runProbe(docker, {
    image: WORKER_IMAGE,
    entrypoint: ['rm', '-rf'],
    args: [posix.join(PARENT, posix.basename(directory))],
    host: { NetworkMode: 'none', Binds: [`${posix.dirname(directory)}:${PARENT}`], CapAdd: ['DAC_OVERRIDE', 'FOWNER'] },
  })
  if (exitCode === 0) return true
  throw new RunyardError('internal', `The directory ${directory} was not removed: ${exitCode === -1 ? 'it takes long' : output}.`)
}
