// Readings of cards as the history keeps them (ADR 79): per reading one byte of load, one of temperature, two of memory and two of power, in all six.
// A chunk holds a minute of all cards.
import type { CardUse } from '@runyard/schema'
import { createPacker, createUnpacker, uuidAt } from './packed.ts'

/** null: the driver did not say. */
export interface CardSample {
  /** 0 to 1. */
  readonly load: number | null
  /** Of the card's memory, 0 to 1. */
  readonly memory: number | null
  readonly powerW: number | null
  readonly temperatureC: number | null
}

export interface CardSamples {
  /** When the first was read, epoch ms. */
  readonly at: number
  readonly stepMs: number
  /** By uuid, one per step; null: none then. */
  readonly cards: ReadonlyMap<string, readonly (CardSample | null)[]>
}

/** Undefined where the host says nothing of the card. */
export function toSample(use: CardUse | undefined, memoryBytes: number): CardSample | undefined {
  if (use === undefined) return undefined
  const { usedBytes, load } = use
  const memory = usedBytes === null || memoryBytes <= 0 ? null : Math.min(1, usedBytes / memoryBytes)
  const { utilization = null, powerW = null, temperatureC = null } = load ?? {}
  return { load: utilization, memory, powerW, temperatureC }
}

/** Load, memory and power on average; the highest temperature. */
export function meanSample(samples: readonly (CardSample | null)[]): CardSample | null {
  const known = samples.filter((sample) => sample !== null)
  if (known.length === 0) return null
  const valuesOf = (name: keyof CardSample) => known.map((sample) => sample[name]).filter((value) => value !== null)
  const mean = (values: readonly number[]) => (values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length)
  const temperatures = valuesOf('temperatureC')
  return {
    load: mean(valuesOf('load')),
    memory: mean(valuesOf('memory')),
    powerW: mean(valuesOf('powerW')),
    temperatureC: temperatures.length === 0 ? null : Math.max(...temperatures),
  }
}

const VERSION = 1
const NOTHING = 255
const FINE = 65_535

export function packSamples({ at, stepMs, cards }: CardSamples): Uint8Array {
  const packer = createPacker()
  packer.number(VERSION)
  packer.number(at)
  packer.number(stepMs)
  packer.number(cards.size)
  for (const [uuid, samples] of cards) {
    writeUuid(packer, uuid)
    packer.number(samples.length)
    for (const sample of samples) packer.raw(bytesOf(sample))
  }
  return packer.finish()
}

function bytesOf(sample: CardSample | null): readonly number[] {
  const { load, memory, powerW, temperatureC } = sample ?? { load: null, memory: null, powerW: null, temperatureC: null }
  const byte = (value: number | null) => (value === null ? NOTHING : Math.min(254, Math.max(0, Math.round(value))))
  const two = (value: number | null) => {
    const whole = value === null ? FINE : Math.min(FINE - 1, Math.max(0, Math.round(value)))
    return [whole % 256, Math.floor(whole / 256)]
  }
  return [
    byte(load === null ? null : load * 200),
    byte(temperatureC),
    ...two(memory === null ? null : memory * 10_000),
    ...two(powerW === null ? null : powerW * 10),
  ]
}

const USUAL_UUID = /^GPU-([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/u

/** 17 bytes for the uuid of a whole card, else its text. */
function writeUuid(packer: ReturnType<typeof createPacker>, uuid: string): void {
  const parts = USUAL_UUID.exec(uuid)
  packer.number(parts === null ? 0 : 1)
  if (parts === null) packer.text(uuid)
  else packer.raw((parts.slice(1).join('').match(/../gu) ?? []).map((digits) => Number.parseInt(digits, 16)))
}

/** Undefined for a chunk that a later release wrote in another form. */
export function unpackSamples(chunk: Uint8Array): CardSamples | undefined {
  const unpacker = createUnpacker(chunk)
  if (unpacker.number() !== VERSION) return undefined
  const at = unpacker.number()
  const stepMs = unpacker.number()
  const cards = new Map<string, (CardSample | null)[]>()
  for (let left = unpacker.number(); left > 0 && !unpacker.isAtEnd; left -= 1) {
    const uuid = unpacker.number() === 0 ? unpacker.text() : usualUuid(chunk, unpacker.skip(UUID_BYTES))
    const samples: (CardSample | null)[] = []
    for (let count = unpacker.number(); count > 0 && !unpacker.isAtEnd; count -= 1) {
      samples.push(sampleAt(chunk, unpacker.skip(READING_BYTES)))
    }
    cards.set(uuid, samples)
  }
  return { at, stepMs, cards }
}

const usualUuid = (bytes: Uint8Array, at: number): string => `GPU-${uuidAt(bytes, at)}`

/** Readings of many chunks as columns of numbers: a day of 64 cards has a hundred thousand. */
export interface ReadingColumns {
  readonly count: number
  readonly uuids: readonly string[]
  /** Places in `uuids`. */
  readonly cards: Uint16Array
  /** When each was read, epoch ms, and for how long it stands. */
  readonly at: Float64Array
  readonly stepMs: Float64Array
  /** Six bytes of each, as they are packed. */
  readonly readings: Uint8Array
  /** What it holds, about. */
  readonly bytes: number
}

const UUID_BYTES = 16
const READING_BYTES = 6

export function buildReadingColumns() {
  const [cards, times, steps, readings]: [number[], number[], number[], number[]] = [[], [], [], []]
  const places = createUuidPlaces()
  return {
    addChunk(chunk: Uint8Array) {
      const unpacker = createUnpacker(chunk)
      if (unpacker.number() !== VERSION) return
      const at = unpacker.number()
      const stepMs = unpacker.number()
      for (let nth = 0, count = unpacker.number(); nth < count && !unpacker.isAtEnd; nth += 1) {
        const isText = unpacker.number() === 0
        const card = isText ? places.placeOfText(unpacker.text()) : places.placeOfBytes(chunk, unpacker.skip(UUID_BYTES), nth)
        const length = unpacker.number()
        for (let index = 0; index < length && !unpacker.isAtEnd; index += 1) {
          const from = unpacker.skip(READING_BYTES)
          cards.push(card)
          times.push(at + index * stepMs)
          steps.push(stepMs)
          for (let byte = from; byte < from + READING_BYTES; byte += 1) readings.push(chunk[byte] ?? NOTHING)
        }
      }
    },
    finish: (): ReadingColumns => ({
      count: cards.length,
      uuids: places.uuids,
      cards: Uint16Array.from(cards),
      at: Float64Array.from(times),
      stepMs: Float64Array.from(steps),
      readings: Uint8Array.from(readings),
      bytes: cards.length * (2 + 8 + 8 + READING_BYTES),
    }),
  }
}

/** Chunks name the same cards in the same order: the uuid of the `nth` card is first compared with that of the last chunk. */
function createUuidPlaces() {
  const uuids: string[] = []
  const places = new Map<string, number>()
  const last: { readonly bytes: Uint8Array; readonly place: number }[] = []
  function placeOfText(uuid: string): number {
    const place = places.get(uuid) ?? uuids.push(uuid) - 1
    places.set(uuid, place)
    return place
  }
  return {
    uuids,
    placeOfText,
    placeOfBytes(chunk: Uint8Array, at: number, nth: number): number {
      const known = last[nth]
      if (known !== undefined && isSame(known.bytes, chunk, at)) return known.place
      const place = placeOfText(usualUuid(chunk, at))
      last[nth] = { bytes: chunk.subarray(at, at + UUID_BYTES), place }
      return place
    },
  }
}

function isSame(bytes: Uint8Array, chunk: Uint8Array, at: number): boolean {
  for (let index = 0; index < UUID_BYTES; index += 1) if (bytes[index] !== chunk[at + index]) return false
  return true
}

/** Of one kind of reading: where its bytes are, how many, what stands for unknown, and what one is. */
export interface ReadingKind {
  readonly at: number
  readonly isTwo: boolean
  readonly nothing: number
  readonly divisor: number
}
/** 0 to 1, 0 to 1, and in watts. */
export const READING_KINDS = {
  load: { at: 0, isTwo: false, nothing: NOTHING, divisor: 200 },
  memory: { at: 2, isTwo: true, nothing: FINE, divisor: 10_000 },
  power: { at: 4, isTwo: true, nothing: FINE, divisor: 10 },
} as const satisfies Record<string, ReadingKind>

/** As it is packed: a whole number, or `nothing`. */
export const packedAt = ({ readings }: ReadingColumns, { at, isTwo }: ReadingKind, index: number): number =>
  isTwo ? twoAt(readings, index * READING_BYTES + at) : (readings[index * READING_BYTES + at] ?? NOTHING)

function sampleAt(bytes: Uint8Array, at: number): CardSample | null {
  const load = known(bytes[at] ?? NOTHING, NOTHING, 200)
  const temperatureC = known(bytes[at + 1] ?? NOTHING, NOTHING, 1)
  const memory = known(twoAt(bytes, at + 2), FINE, 10_000)
  const powerW = known(twoAt(bytes, at + 4), FINE, 10)
  return load === null && memory === null && powerW === null && temperatureC === null ? null : { load, memory, powerW, temperatureC }
}

const known = (value: number, nothing: number, divisor: number): number | null => (value === nothing ? null : value / divisor)
const twoAt = (bytes: Uint8Array, at: number): number => (bytes[at] ?? NOTHING) + (bytes[at + 1] ?? NOTHING) * 256
