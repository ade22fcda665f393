// Models of a hub on an engine (ADR 86): each is a volume in the layout of huggingface_hub's cache, filled file by file through the engine's API alone, and
// mounted read-only into the workers. A file of full size is right, so a try that breaks off goes on after the last whole file.
import { pipeline } from 'node:stream/promises'
import { onceAtATime } from '@runyard/kit'
import type { HeldModel, HostDriver, ModelFile, ModelPlacement } from '@runyard/schema'
import type Docker from 'dockerode'
import { listVolumes } from './builds.ts'
import { AGENT_MOUNT, LABELS, modelVolume } from './container-spec.ts'
import { statusOf } from './docker-errors.ts'
import { ensureFilled, putFiles, removeVolume } from './filled-volume.ts'
import { tarOf } from './tar.ts'

/** A scaler that died leaves its lock for so long. */
const STALE_FILLER_MS = 15 * 60_000

export type Models = Required<Pick<HostDriver, 'placeModel' | 'models' | 'removeModel'>>

/** `docker`: without a time limit of its own. */
export function createModels(docker: Docker, instanceId: string): Models {
  return {
    placeModel: onceAtATime(
      ({ id }) => id,
      (model: ModelPlacement) => place(docker, instanceId, model),
    ),
    async models() {
      return (await listVolumes(docker, instanceId, [LABELS.model])).map(describe)
    },
    removeModel: (id) => removeVolume(docker, modelVolume(instanceId, id)),
  }
}

function describe(volume: Docker.VolumeInspectInfo): HeldModel {
  const { Labels } = volume
  // Docker has it; the types do not.
  const createdAt = 'CreatedAt' in volume ? Date.parse(String(volume.CreatedAt)) : 0
  return { id: Labels[LABELS.model] ?? '', bytes: Number(Labels[LABELS.modelBytes] ?? 0), placedAt: createdAt }
}

async function place(docker: Docker, instanceId: string, model: ModelPlacement): Promise<void> {
  await ensureFilled(docker, {
    name: modelVolume(instanceId, model.id),
    labels: { [LABELS.instance]: instanceId, [LABELS.model]: model.id, [LABELS.modelBytes]: String(model.sizeBytes) },
    staleMs: STALE_FILLER_MS,
    async fill(filler) {
      const { files, texts, links } = await model.open()
      for (const file of files) if ((await sizeOf(filler, file.path)) !== file.sizeBytes) await put(filler, file)
      const rest = tarOf((tar) => {
        for (const { path, text } of texts) tar.entry({ name: path, mode: 0o644 }, text)
        for (const { path, target } of links) tar.entry({ name: path, type: 'symlink', linkname: target })
      })
      await filler.putArchive(rest, { path: AGENT_MOUNT })
    },
  })
}

async function put(filler: Docker.Container, { path, sizeBytes, open }: ModelFile): Promise<void> {
  await putFiles(filler, (tar) => pipeline(open(), tar.entry({ name: path, mode: 0o644, size: sizeBytes })))
}

async function sizeOf(filler: Docker.Container, path: string): Promise<number | undefined> {
  try {
    const answer: NodeJS.ReadableStream = await filler.infoArchive({ path: `${AGENT_MOUNT}/${path}` })
    answer.resume()
    return sizeIn('headers' in answer ? answer.headers : undefined)
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/** The engine describes a path in base64, in a header. Undefined: not known. */
function sizeIn(headers: unknown): number | undefined {
  if (typeof headers !== 'object' || headers === null || !('x-docker-container-path-stat' in headers)) return undefined
  const described: unknown = JSON.parse(Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString())
  return typeof described === 'object' && described !== null && 'size' in described ? Number(described.size) : undefined
}
