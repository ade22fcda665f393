// What Runyard reads of a manifest: which tool made the build, and for which Python (flash-api §7.2, sdk2-api §3.5).
import { RunyardError, type Build, type Manifest } from '@runyard/schema'

export const MANIFEST_FILES: Readonly<Record<string, Build['kind']>> = {
  'flash_manifest.json': 'flash',
  'runpod_manifest.json': 'sdk2',
}

type Read = Pick<Build, 'kind' | 'pythonVersion'> & { readonly manifest: Manifest }

/** @throws RunyardError('bad_request') */
export function readManifest(value: unknown): Read {
  if (!isObject(value)) throw new RunyardError('bad_request', 'The manifest of a build must be a JSON object.')
  const { resources } = value
  if (typeof value['app'] === 'string' && Array.isArray(resources))
    return { kind: 'sdk2', pythonVersion: versionIn(value['pythonVersion']), manifest: value }
  if (isObject(resources)) return { kind: 'flash', pythonVersion: versionIn(value['python_version']), manifest: value }
  throw new RunyardError(
    'bad_request',
    'This is no manifest of a build: Flash writes an object of "resources", the SDK 2.0 an "app" and a list of "resources".',
  )
}

function versionIn(value: unknown): string | null {
  return typeof value === 'string' && /^3\.\d{1,2}$/u.test(value) ? value : null
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
