// Bytes of the history (ADR 79): whole numbers in 7-bit groups, lowest first, so that small ones take one byte. Texts that repeat are written once per
// chunk and referred to by their place.
// E.g. 300 → 0xac 0x02.

export type Packer = ReturnType<typeof createPacker>

export function createPacker() {
  const out: number[] = []
  /** A whole number from 0 on; fractions are cut, negative ones become 0. */
  function number(value: number): void {
    let rest = Math.max(0, Math.floor(value))
    while (rest >= 0x80) {
      out.push((rest % 0x80) + 0x80)
      rest = Math.floor(rest / 0x80)
    }
    out.push(rest)
  }
  return {
    number,
    /** Exactly these bytes. */
    raw(bytes: readonly number[]) {
      for (const byte of bytes) out.push(byte)
    },
    text(value: string) {
      number(value.length)
      for (let at = 0; at < value.length; at += 1) number(value.charCodeAt(at))
    },
    finish: (): Uint8Array => Uint8Array.from(out),
  }
}

export type Unpacker = ReturnType<typeof createUnpacker>

export function createUnpacker(bytes: Uint8Array) {
  let at = 0
  function number(): number {
    let value = 0
    for (let factor = 1; at < bytes.length; factor *= 0x80) {
      const byte = bytes[at] ?? 0
      at += 1
      value += (byte % 0x80) * factor
      if (byte < 0x80) break
    }
    return value
  }
  return {
    number,
    /** Passes over bytes, and returns where they begin. */
    skip(length: number): number {
      at += length
      return at - length
    },
    text(): string {
      const codes: number[] = []
      for (let left = Math.min(number(), bytes.length - at); left > 0; left -= 1) codes.push(number())
      let text = ''
      // In pieces, since a call has a bounded number of arguments.
      for (let from = 0; from < codes.length; from += 4096) text += String.fromCharCode(...codes.slice(from, from + 4096))
      return text
    },
    /** Also true where the bytes end too early. */
    get isAtEnd() {
      return at >= bytes.length
    },
  }
}

/** Places of texts in the order in which they were first asked for; 0 is no text. */
export function createTexts() {
  const places = new Map<string, number>()
  const placeOf = (text: string | undefined): number => {
    if (text === undefined) return 0
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, places.size + 1)
    return places.size
  }
  return {
    placeOf,
    writeTo(packer: Packer): void {
      packer.number(places.size)
      for (const text of places.keys()) packer.text(text)
    },
  }
}

/** What `createTexts` wrote. */
export function readTexts(unpacker: Unpacker): (place: number) => string | undefined {
  const count = unpacker.number()
  const texts: string[] = []
  for (let index = 0; index < count && !unpacker.isAtEnd; index += 1) texts.push(unpacker.text())
  return (place) => texts[place - 1]
}

const HEX = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
const DASH = 0x2d

/** The uuid whose 16 bytes begin at `at`. Made in one piece, since a day of a busy pool has some hundred thousand. */
export function uuidAt(bytes: Uint8Array, at: number): string {
  const codes: number[] = []
  for (let place = 0; place < 16; place += 1) {
    if (place === 4 || place === 6 || place === 8 || place === 10) codes.push(DASH)
    const byte = bytes[at + place] ?? 0
    codes.push(HEX[byte >> 4] ?? DASH, HEX[byte & 15] ?? DASH)
  }
  return String.fromCharCode.apply(undefined, codes)
}
