// The read-only volume that brings the agent to a host (ADR 7): bin/node, agent.mjs, runner/, and the runner's bytecode for the default image's Python.
// Its name contains a hash of its content, so a volume never changes.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type Docker from 'dockerode'
import { AGENT_MOUNT, LABELS } from './container-spec.ts'
import { onEngine, type Engine } from './engine.ts'
import { ensureFilled } from './filled-volume.ts'
import { WORKER_IMAGE } from './images.ts'
import { runProbe } from './probe-container.ts'
import { tarOf } from './tar.ts'

/** Filling takes seconds; a filler older than this lost its process. */
const STALE_FILLER_MS = 60_000

export interface AgentVolumeOptions {
  readonly engine: Engine
  /** The release, e.g. `0.1.0`; part of the volume's name. */
  readonly version: string
  /** Holds agent.mjs and runner/. */
  readonly directory: string
  /** The Node binary that runs the agent inside containers: Linux, glibc. Default: the one that runs us. */
  readonly node?: string | undefined
}

interface AgentFile {
  readonly path: string
  readonly source: string
  readonly mode: number
  readonly size: number
}

/** The volume's name; filled if it was not. Costs one short-lived container that is never started. */
export async function ensureAgentVolume({ engine, version, directory, node = process.execPath }: AgentVolumeOptions): Promise<string> {
  const files = [...(await listFiles(directory)), { path: 'bin/node', source: node, mode: 0o755, size: (await stat(node)).size }]
  const name = `runyard-agent-${version}-${(await hashOf(files)).slice(0, 12)}`
  await onEngine(engine, `prepare the agent volume ${name}`, (docker) =>
    ensureFilled(docker, {
      name,
      labels: { [LABELS.agent]: version },
      staleMs: STALE_FILLER_MS,
      async fill(filler) {
        await filler.putArchive(agentTar(files), { path: AGENT_MOUNT })
        await compileRunner(docker, name)
      },
    }),
  )
  return name
}

/**
 * Workers cannot write into the volume, so without bytecode each start compiles the runner anew: a third of the time that Python takes to be ready.
 * Workers of images with another Python do that, and all do where this fails.
 */
async function compileRunner(docker: Docker, volume: string): Promise<void> {
  const Mounts = [{ Type: 'volume' as const, Source: volume, Target: AGENT_MOUNT }]
  const args = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', `${AGENT_MOUNT}/runner`]
  const host = { Mounts, NetworkMode: 'none' }
  await runProbe(docker, { image: WORKER_IMAGE, entrypoint: ['python3'], args, host }).catch(() => undefined)
}

async function listFiles(directory: string): Promise<readonly AgentFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const sources = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files = sources
    .filter((source) => !source.includes(`${sep}__pycache__${sep}`))
    .map(async (source) => {
      const { size } = await stat(source)
      return { path: relative(directory, source).split(sep).join('/'), source, mode: 0o644, size }
    })
  return (await Promise.all(files)).toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

async function hashOf(files: readonly AgentFile[]): Promise<string> {
  const hash = createHash('sha256')
  for (const { path, source } of files) {
    hash.update(`${path}\0`)
    await pipeline(createReadStream(source), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer)
    })
  }
  return hash.digest('hex')
}

function agentTar(files: readonly AgentFile[]): Readable {
  return tarOf(async (archive) => {
    for (const { path, source, mode, size } of files) await pipeline(createReadStream(source), archive.entry({ name: path, mode, size }))
  })
}
