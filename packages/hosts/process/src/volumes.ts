// Volumes on this machine: one directory each (ADR 71). A child process cannot get a mount of its own, and one symbolic link for the whole machine would
// show a worker the data of another volume. So the worker's environment names the directory.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { VOLUME_PATH } from '@runyard/core'
import type { VolumeData, VolumeMount, WorkerLaunch } from '@runyard/schema'

export function createVolumeDirectories(parent: string) {
  const directoryOf = ({ volumeId, directory }: VolumeData): string => directory ?? join(parent, volumeId)
  return {
    /** Makes the directories. Returns the worker's environment with their paths. */
    async prepare({ mounts = [], env }: WorkerLaunch): Promise<WorkerLaunch['env']> {
      const directories = new Map<string, string>()
      for (const mount of mounts) {
        await mkdir(directoryOf(mount), { recursive: true })
        directories.set(mount.path, directoryOf(mount))
      }
      return mounts.length === 0 ? env : { ...env, ...pathVariables(mounts, directories), ...mountVariable(env, directories) }
    },
    /** Processes that use it keep their open files. */
    async remove(volume: VolumeData): Promise<true> {
      await rm(directoryOf(volume), { recursive: true, force: true })
      return true
    },
  }
}

function pathVariables(mounts: readonly VolumeMount[], directories: ReadonlyMap<string, string>): Record<string, string> {
  const directory = directories.get(VOLUME_PATH) ?? directories.get(mounts[0]?.path ?? '')
  return directory === undefined ? {} : { RUNPOD_VOLUME_PATH: directory }
}

/** The paths of SDK 2's volumes come from this variable (sdk2-api §3.7). What is no list stays as it is: the SDK reports it. */
function mountVariable(
  { RUNPOD_MOUNTS: text = '[]' }: WorkerLaunch['env'],
  directories: ReadonlyMap<string, string>,
): Record<string, string> {
  const bindings = parse(text)
  if (!Array.isArray(bindings)) return {}
  return { RUNPOD_MOUNTS: JSON.stringify(bindings.map((binding: unknown) => moved(binding, directories))) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function moved(binding: unknown, directories: ReadonlyMap<string, string>): unknown {
  if (typeof binding !== 'object' || binding === null || !('path' in binding)) return binding
  return { ...binding, path: directories.get(String(binding.path)) ?? binding.path }
}
