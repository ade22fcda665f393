// An answer of the gateway, made ready for painting: letters and digits become numbers once, so that a frame reads only arrays.
import type { TimelineLane, TimelineView } from '@runyard/schema/api'
import { chooseHues } from './hues.ts'
import type { View } from './view.ts'

/** In the order of their numbers in a picture. */
export const PHASES = ['free', 'pulling', 'starting', 'idle', 'busy', 'draining', 'quarantined', 'unknown'] as const
export type Phase = (typeof PHASES)[number]
const LETTERS = '.psibdqu'
export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  free: 'free',
  pulling: 'pulling its image',
  starting: 'starting',
  idle: 'idle',
  busy: 'busy',
  draining: 'draining',
  quarantined: 'out of use',
  unknown: 'host away or not recorded',
}

/** A digit that is not known. */
export const NOT_KNOWN = -1
const MOST_DIGIT = 35

type Absence = View & { readonly cause: string }

export interface LanePicture {
  readonly lane: TimelineLane
  /** Numbers of `PHASES`, one per column. */
  readonly phases: Uint8Array
  /** 0 to 1 per reading, or `NOT_KNOWN`. */
  readonly load: Float32Array
  readonly memory: Float32Array
  readonly power: Float32Array
  /** When the card was out of use, however short. */
  readonly absences: readonly Absence[]
  /** When nothing is known of its host. */
  readonly gaps: readonly Absence[]
}

export interface Picture extends View {
  /** Nothing is known after it. */
  readonly now: number
  readonly columnMs: number
  readonly readingMs: number
  readonly lanes: readonly LanePicture[]
  /** By what the jobs of its endpoints differ: see `hues.ts`. */
  readonly hueOf: (endpointId: string) => number
  /** Those whose jobs are in it, by name. */
  readonly endpoints: readonly { readonly id: string; readonly name: string }[]
}

export function toPicture(view: TimelineView): Picture {
  const { from, to, now, px, readingPx } = view
  const columnMs = (to - from) / px
  const lanes = view.lanes.map((lane) => ({
    lane,
    phases: Uint8Array.from(lane.phases, (letter) => Math.max(0, LETTERS.indexOf(letter))),
    load: digitsOf(lane.load),
    memory: digitsOf(lane.memory),
    power: digitsOf(lane.power),
    absences: view.absences.filter(({ uuid }) => uuid === lane.uuid),
    gaps: view.absences.filter(({ hostId }) => hostId === lane.hostId),
  }))
  const endpoints = endpointsOf(view.lanes)
  return { from, to, now, columnMs, readingMs: columnMs * readingPx, lanes, endpoints, hueOf: chooseHues(endpoints.map(({ id }) => id)) }
}

function endpointsOf(lanes: readonly TimelineLane[]): Picture['endpoints'] {
  const busy = new Set(lanes.flatMap(({ jobs = [] }) => jobs.map(({ endpointId }) => endpointId)))
  const names = new Map(lanes.flatMap(({ workers = [] }) => workers.map(({ endpoint }) => [endpoint.id, endpoint.name] as const)))
  return [...busy].map((id) => ({ id, name: names.get(id) ?? id })).toSorted((a, b) => a.name.localeCompare(b.name))
}

function digitsOf(text: string): Float32Array {
  return Float32Array.from(text, (digit) => (digit === '-' ? NOT_KNOWN : Number.parseInt(digit, 36) / MOST_DIGIT))
}
