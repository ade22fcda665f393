// How much is free on the disk of an engine's images. On this machine and over ssh the data directory itself is asked; behind TLS, and where that directory
// is in another machine (a VM, Runyard in a container), a container of the default image, whose root lies on the same disk. That takes half a second, so its
// answer counts for a while. Undefined where none of these answers: Docker has no call for it.
import { statfs } from 'node:fs/promises'
import type { DiskSpace } from '@runyard/schema'
import type Docker from 'dockerode'
import { isLocal, type Engine } from './engine.ts'
import { WORKER_IMAGE } from './images.ts'
import { runProbe } from './probe-container.ts'

const PROBE_COUNTS_FOR_MS = 5 * 60_000

export function createDiskSpace(engine: Engine): () => Promise<DiskSpace | undefined> {
  const docker = engine.docker({ timeout: 30_000 })
  const byProbe = remembered(() => askContainer(docker), PROBE_COUNTS_FOR_MS)
  let path: string | undefined
  return async () => {
    path ??= ((await docker.info()) as { readonly DockerRootDir: string }).DockerRootDir
    const known = isLocal(engine) ? await askHere(path) : await askOverSsh(engine, path)
    const found = known ?? (await byProbe())
    return found && { path, ...found }
  }
}

type Sizes = Omit<DiskSpace, 'path'>

async function askHere(path: string): Promise<Sizes | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    // It is in another machine, or not ours to look at.
    return undefined
  }
}

async function askOverSsh({ tunnel }: Engine, path: string): Promise<Sizes | undefined> {
  const printed = await tunnel?.run('df', ['-Pk', path]).catch(() => undefined)
  return printed === undefined ? undefined : readDf(printed)
}

async function askContainer(docker: Docker): Promise<Sizes | undefined> {
  try {
    const { exitCode, output } = await runProbe(docker, {
      image: WORKER_IMAGE,
      entrypoint: ['df', '-Pk', '/'],
      args: [],
      host: { NetworkMode: 'none' },
      longest: 1000,
    })
    return exitCode === 0 ? readDf(output) : undefined
  } catch {
    // Without the default image no container can say it.
    return undefined
  }
}

/** The last line of `df -Pk`: file system, KiB in all, used, available, percent, mount point. */
export function readDf(printed: string): Sizes | undefined {
  const [, total, , free] = printed.trim().split('\n').at(-1)?.split(/\s+/u) ?? []
  if (total === undefined || free === undefined || !/^\d+$/u.test(total) || !/^\d+$/u.test(free)) return undefined
  return { freeBytes: Number(free) * 1024, totalBytes: Number(total) * 1024 }
}

function remembered<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
  let known: { readonly at: number; readonly answer: Promise<T> } | undefined
  return () => {
    if (known === undefined || Date.now() - known.at > forMs) known = { at: Date.now(), answer: ask() }
    return known.answer
  }
}
