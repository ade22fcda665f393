// Which Python an image has, found by running it once per image: a deployed app brings packages that were compiled for one minor version.
import type Docker from 'dockerode'
import { findImage } from './images.ts'
import { runProbe } from './probe-container.ts'

const ASK = 'import sys; print("%d.%d" % sys.version_info[:2])'

/** Resolves to undefined for an image without Python, or one that does not say. */
export function createPythonLook(docker: Docker): (image: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>()
  return async (image) => {
    const id = (await findImage(docker, image))?.Id
    if (id === undefined) return undefined
    const looked = known.get(id) ?? look(docker, id)
    known.set(id, looked)
    const found = await looked
    if (found === undefined) known.delete(id)
    return found
  }
}

async function look(docker: Docker, image: string): Promise<string | undefined> {
  const probe = { image, entrypoint: ['python3', '-I', '-c'], args: [ASK], host: { NetworkMode: 'none' } }
  const { exitCode, output } = await runProbe(docker, probe).catch(() => ({ exitCode: -1, output: '' }))
  return exitCode === 0 && /^3\.\d+$/.test(output) ? output : undefined
}
