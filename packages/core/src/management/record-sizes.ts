// The size limits of records, for every dialect (ADR 36). Sizes are checked before any grammar, so that no long text is parsed.
import type { Endpoint, EndpointSpec, GpuRequest, TemplateContainer, TemplateNotes } from '@runyard/schema'
import { controlCharacterIn, quoted, RECORD_LIMITS as MOST } from '@runyard/schema'

/** Of a request to any dialect: the largest record, with 1 MiB of variables, fits. */
export const MANAGEMENT_BODY_BYTES = 2 * 1024 * 1024

export function nameProblem(what: string, name: string): string | undefined {
  if (name.trim() === '') return `The name of ${what} must not be empty.`
  if (name.length > MOST.name) return `A name has at most ${MOST.name} characters; this one has ${name.length}.`
  if (!name.isWellFormed()) return `The name of ${what} has half of a surrogate pair in it, which is no character.`
  const control = controlCharacterIn(name)
  return control === undefined ? undefined : `The name of ${what} must not contain control characters; ${quoted(name)} has ${control}.`
}

/** What clients of GraphQL want back as they sent it, and the environment of a deployed app. */
export function echoSizeProblem({ echo, flashEnvironmentId }: Pick<Endpoint, 'echo' | 'flashEnvironmentId'>): string | undefined {
  const { readme = '', ...scalars } = echo
  return (
    tooMany('bytes in a readme', utf8Bytes(String(readme)), MOST.readmeBytes) ??
    tooMany('bytes in gpuIds, locations and their like', utf8Bytes(JSON.stringify(scalars)), MOST.echoBytes) ??
    tooMany('bytes in flashEnvironmentId', utf8Bytes(flashEnvironmentId ?? ''), MOST.textBytes)
  )
}

export function containerSizeProblem({ args, entrypoint = [], env, ports }: TemplateContainer): string | undefined {
  const words = utf8Bytes(args) + entrypoint.reduce((sum, word) => sum + utf8Bytes(word) + 1, 0)
  return (
    tooMany('bytes in a start command', words, MOST.argsBytes) ??
    tooMany('words in an entrypoint', entrypoint.length, MOST.listItems) ??
    listProblem('ports', ports) ??
    environmentSizeProblem(env)
  )
}

/** Linux starts no program with a larger variable, so no worker would ever start. */
export function environmentSizeProblem(env: EndpointSpec['env']): string | undefined {
  const variables = Object.entries(env)
  const sizes = variables.map(([name, value]) => ({ name, bytes: utf8Bytes(name) + utf8Bytes(value) + 2 }))
  const large = sizes.find(({ bytes }) => bytes > MOST.variableBytes)
  if (large !== undefined) return tooMany(`bytes in the environment variable ${quoted(large.name)}`, large.bytes, MOST.variableBytes)
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  return (
    tooMany('environment variables', variables.length, MOST.variables) ??
    tooMany('bytes of environment variables', total, MOST.variablesBytes)
  )
}

export function placementSizeProblem({ gpu, cpu, networkVolumeIds, dataCenterIds }: EndpointSpec): string | undefined {
  const lists: Readonly<Record<string, readonly string[]>> = {
    'network volumes': networkVolumeIds,
    'data centers': dataCenterIds,
    'CPU instances': cpu?.instanceIds ?? [],
    ...(gpu === null ? {} : gpuLists(gpu)),
  }
  return Object.entries(lists)
    .map(([what, items]) => listProblem(what, items))
    .find((problem) => problem !== undefined)
}

function gpuLists({ pools, excludedTypes, allowedCudaVersions, minCudaVersion = '' }: GpuRequest): Record<string, readonly string[]> {
  return { 'GPU pools': pools, 'excluded GPU types': excludedTypes, 'CUDA versions': [...allowedCudaVersions, minCudaVersion] }
}

export function notesSizeProblem({ readme, volumeMountPath, volumeGb, allowedCudaVersions }: TemplateNotes): string | undefined {
  return (
    tooMany('bytes in a readme', utf8Bytes(readme), MOST.readmeBytes) ??
    tooMany('bytes in a mount path', utf8Bytes(volumeMountPath), MOST.textBytes) ??
    (volumeGb < 0 ? `A volume has at least 0 GB; ${volumeGb} was given.` : tooMany('GB in a volume', volumeGb, MOST.diskGb)) ??
    listProblem('CUDA versions', allowedCudaVersions)
  )
}

function listProblem(what: string, items: readonly string[]): string | undefined {
  const long = items.find((item) => utf8Bytes(item) > MOST.textBytes)
  if (long !== undefined) return `${quoted(long)} is too long for one of the ${what}; at most ${MOST.textBytes} bytes are allowed.`
  return tooMany(what, items.length, MOST.listItems)
}

function tooMany(what: string, count: number, most: number): string | undefined {
  return count <= most ? undefined : `There are too many ${what}: ${count} were given, at most ${most} are allowed.`
}

/** Half of a surrogate pair takes the three bytes of the character that replaces it. */
function utf8Bytes(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) bytes += unit < 0x800 || isPairAt(text, at) ? 1 : 2
  }
  return bytes
}

/** Each half of a whole pair takes two of its four bytes. */
function isPairAt(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  const [high, low] = unit < 0xdc00 ? [unit, text.charCodeAt(at + 1)] : [text.charCodeAt(at - 1), unit]
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000
}
