// Bounds for external input: numbers, times and texts are clamped where they are read, so that no inner code has to expect a number that Redis,
// a date or a timer cannot hold. Failure direction: a meaningless value counts as absent.

/** The latest time that a date can hold, epoch ms (ECMAScript 2024, 21.4.1.1). */
export const LATEST_MS = 8.64e15

export interface Range {
  readonly min: number
  readonly max: number
}

/** A time or a duration in whole milliseconds, clamped to the range. Infinity is the end of the range; undefined if it is no number. */
export function clampMs(value: unknown, { min, max }: Range): number | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined
  return Math.min(max, Math.max(min, Math.round(value)))
}

export const WEEK_MS = 7 * 24 * 3600 * 1000

/** A duration from a query string. Undefined if it is no number, zero or negative. */
export function readSpanMs(text: unknown, range: Range): number | undefined {
  const span = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN
  return span > 0 ? clampMs(span, range) : undefined
}

/** Maximum length of a text that a worker reports about itself, in characters; longer texts are cut on arrival. */
export const LONGEST_WORKER_TEXT = 1024

export function cutText(text: string, most = LONGEST_WORKER_TEXT): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} characters more)`
}

/** Characters that move a terminal's cursor or change the direction of text. A name with them can forge a row of a list. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u
const CONTROLS = new RegExp(CONTROL, 'gu')

/** The first such character, as `U+001B`. */
export function controlCharacterIn(text: string): string | undefined {
  const [found] = CONTROL.exec(text) ?? []
  return found === undefined ? undefined : nameOf(found)
}

/** An external value for use in a message: short, on one line. */
export function shown(text: string): string {
  return cutText(text, 100).replaceAll(CONTROLS, (character) => `<${nameOf(character)}>`)
}

export function quoted(text: string): string {
  return `"${shown(text)}"`
}

function nameOf(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

const KIB = 1024

/** Size limits of the records of endpoints, templates and registries, for all dialects. The model enforces them (ADR 36). */
export const RECORD_LIMITS = {
  /** Characters of a name (management §2.1). */
  name: 191,
  /** Linux rejects larger ones: `MAX_ARG_STRLEN`, including the name and `=`. */
  variableBytes: 128 * KIB,
  /** Total size of all variables of one record. */
  variablesBytes: 1024 * KIB,
  variables: 1000,
  /** Start command and entrypoint. */
  argsBytes: 32 * KIB,
  readmeBytes: 64 * KIB,
  /** Items of any other list: pools, data centres, ports, volumes, instances. */
  listItems: 200,
  /** Length of lists that GraphQL writes as one text. */
  echoBytes: 16 * KIB,
  /** Bytes of one such item, and of any other short text. */
  textBytes: KIB,
  /** GPUs per worker: no machine has more. */
  gpuCount: 64,
  diskGb: 100_000,
  /** Maximum number of endpoints, of templates and of registries per owner. */
  perOwner: 1000,
} as const

/** What numbers of an endpoint may be, for all dialects and for the command line. The model enforces them. */
export const ENDPOINT_RANGES = {
  diskGb: { min: 1, max: RECORD_LIMITS.diskGb },
  gpuCount: { min: 1, max: RECORD_LIMITS.gpuCount },
  idleTimeoutS: { min: 1, max: 3600 },
  /** management §3.2; at most a day, since no job waits longer for a worker to be added. */
  queueDelayS: { min: 0.5, max: 86_400 },
  requestCount: { min: 1, max: 86_400 },
  /** Of one job; 0 is no limit (management §6.2). */
  executionTimeoutS: { min: 5, max: WEEK_MS / 1000 },
  priority: { min: 1, max: 100 },
  /** 0: none. */
  requestsPerSecond: { min: 0, max: 86_400 },
} as const satisfies Readonly<Record<string, Range>>
