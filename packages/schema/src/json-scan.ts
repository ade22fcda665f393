// Scans JSON text once, from left to right, without building a value: whether it is JSON, and the positions of the members of its outermost object
// or the elements of its outermost array. Linear in time and constant in memory. It can pause at any byte and continue later, so that a large body
// shares the thread with others. It accepts what `JSON.parse` accepts (RFC 8259), except for the depth; the last of several members with one name
// counts, and an escaped name is the name that it spells.

import { endOfEscape, endOfWord, JsonFaultError } from './json-tokens.ts'

export interface Span {
  readonly from: number
  /** After the last byte. */
  readonly to: number
}

export interface JsonOutline extends Span {
  readonly kind: 'object' | 'array' | 'other'
  /** Number of members, counting repetitions, or of elements. */
  readonly count: number
  readonly members: ReadonlyMap<string, Span>
  /** The positions of the elements, in order, as many as were requested. */
  readonly elements: readonly Span[]
  /** How often `NaN` or `Infinity` occurred as a value. */
  readonly laxWords: number
}

export interface JsonScanOptions {
  /** The members whose positions are wanted: names of at most ten letters. */
  readonly members?: ReadonlySet<string>
  /** The maximum number of array elements whose positions are returned; default: none. */
  readonly mostElements?: number
  /** Accept NaN and Infinity, which Python writes as bare words and which are not JSON; default: rejected. */
  readonly isLax?: boolean
  /** Maximum number of objects, arrays, strings, numbers and words together, without member names; default: no limit. */
  readonly mostValues?: number
}

/** Levels of nesting; Python's own `json` gives up at about the same depth. */
export const DEEPEST_JSON = 1000

// What may follow.
const VALUE = 0
const FIRST_VALUE = 1
const NAME = 2
const FIRST_NAME = 3
const COLON = 4
const AFTER_VALUE = 5
const END = 6
const IN_STRING = 7

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** A name of ten letters, each of them written as `\uXXXX`. */
const LONGEST_RAW_NAME = 60

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** The progress of a scan: identity and mutable state. */
export class JsonScan {
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #options: JsonScanOptions
  /** True for an object, false for an array, of each open level. */
  readonly #levels: boolean[] = [false]
  readonly #members = new Map<string, Span>()
  readonly #elements: Span[] = []
  #at: number
  #depth = 0
  #state = VALUE
  /** What follows the open string. */
  #afterString = AFTER_VALUE
  #stringFrom = 0
  #name: string | undefined
  #childFrom = 0
  #count = 0
  #values = 0
  #laxWords = 0
  #from = 0
  #to = 0

  constructor(bytes: Uint8Array, { from, to }: Span, options: JsonScanOptions = {}) {
    this.#bytes = bytes
    this.#at = from
    this.#end = to
    this.#options = options
  }

  /** Continues for about this many bytes; true when the whole text has been read. @throws JsonFaultError */
  step(bytes: number): boolean {
    const limit = Math.min(this.#end, this.#at + bytes)
    while (this.#at < limit) {
      const byte = this.#bytes[this.#at] ?? 0
      if (this.#state === IN_STRING) this.#readString(limit)
      else if (isSpace(byte)) this.#at += 1
      else this.#readToken(byte)
    }
    if (this.#at < this.#end) return false
    if (this.#state !== END) throw new JsonFaultError('not_json')
    return true
  }

  /** The result for a text that was read completely. */
  outline(): JsonOutline {
    const first = this.#bytes[this.#from]
    const kind = first === OPEN_OBJECT ? 'object' : first === OPEN_ARRAY ? 'array' : 'other'
    const found = { members: this.#members, elements: this.#elements, laxWords: this.#laxWords }
    return { kind, from: this.#from, to: this.#to, count: this.#count, ...found }
  }

  #readToken(byte: number): void {
    switch (this.#state) {
      case AFTER_VALUE:
        this.#readAfterValue(byte)
        return
      case COLON:
        if (byte !== 0x3a) throw new JsonFaultError('not_json')
        this.#at += 1
        this.#state = VALUE
        return
      case NAME:
      case FIRST_NAME:
        this.#readName(byte)
        return
      case VALUE:
      case FIRST_VALUE:
        this.#readValue(byte)
        return
      default:
        throw new JsonFaultError('not_json')
    }
  }

  #readAfterValue(byte: number): void {
    const isObject = this.#levels[this.#depth] === true
    if (byte === COMMA) {
      this.#at += 1
      this.#state = isObject ? NAME : VALUE
    } else if (byte === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) this.#close()
    else throw new JsonFaultError('not_json')
  }

  #readName(byte: number): void {
    if (byte === CLOSE_OBJECT && this.#state === FIRST_NAME) this.#close()
    else if (byte === QUOTE) this.#openString(COLON)
    else throw new JsonFaultError('not_json')
  }

  #readValue(byte: number): void {
    if (byte === CLOSE_ARRAY && this.#state === FIRST_VALUE) {
      this.#close()
      return
    }
    this.#noteValue()
    if (byte === QUOTE) this.#openString(AFTER_VALUE)
    else if (byte === OPEN_OBJECT) this.#open(true)
    else if (byte === OPEN_ARRAY) this.#open(false)
    else this.#readWord()
  }

  #noteValue(): void {
    if (this.#depth === 1) this.#childFrom = this.#at
    else if (this.#depth === 0) this.#from = this.#at
    this.#values += 1
    if (this.#values > (this.#options.mostValues ?? Infinity)) throw new JsonFaultError('too_many_values')
  }

  #readWord(): void {
    const { to, isLax } = endOfWord(this.#bytes, this.#at, this.#end)
    if (isLax) {
      if (this.#options.isLax !== true) throw new JsonFaultError('not_json')
      this.#laxWords += 1
    }
    this.#endValue(to)
  }

  #open(isObject: boolean): void {
    if (this.#depth === DEEPEST_JSON) throw new JsonFaultError('too_deep')
    this.#depth += 1
    this.#levels[this.#depth] = isObject
    this.#at += 1
    this.#state = isObject ? FIRST_NAME : FIRST_VALUE
  }

  #close(): void {
    this.#depth -= 1
    this.#endValue(this.#at + 1)
  }

  #openString(after: number): void {
    this.#at += 1
    this.#stringFrom = this.#at
    this.#afterString = after
    this.#state = IN_STRING
  }

  #readString(limit: number): void {
    const bytes = this.#bytes
    let at = this.#at
    while (at < limit) {
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) {
        this.#endString(at)
        return
      }
      if (byte === BACKSLASH) at = endOfEscape(bytes, at, this.#end)
      else if (byte < 0x20) throw new JsonFaultError('not_json')
      else at += 1
    }
    this.#at = at
  }

  #endString(at: number): void {
    if (this.#afterString === AFTER_VALUE) {
      this.#endValue(at + 1)
      return
    }
    if (this.#depth === 1) this.#name = this.#nameFrom(this.#stringFrom, at)
    this.#at = at + 1
    this.#state = COLON
  }

  #nameFrom(from: number, to: number): string | undefined {
    const { members } = this.#options
    if (members === undefined || to - from > LONGEST_RAW_NAME) return undefined
    let raw = ''
    // The requested names are plain letters, so a name with other bytes is none of them.
    for (let at = from; at < to; at += 1) raw += String.fromCharCode(this.#bytes[at] ?? 0)
    const name = raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
    return members.has(name) ? name : undefined
  }

  #endValue(to: number): void {
    this.#at = to
    if (this.#depth > 1) {
      this.#state = AFTER_VALUE
      return
    }
    if (this.#depth === 0) {
      this.#to = to
      this.#state = END
      return
    }
    this.#noteChild(to)
    this.#state = AFTER_VALUE
  }

  #noteChild(to: number): void {
    const span = { from: this.#childFrom, to }
    this.#count += 1
    if (this.#levels[1] === true) {
      if (this.#name !== undefined) this.#members.set(this.#name, span)
      this.#name = undefined
    } else if (this.#elements.length < (this.#options.mostElements ?? 0)) this.#elements.push(span)
  }
}
