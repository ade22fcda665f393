// Pictures, sound and films inside an output: texts of base64 whose first bytes say so, and data URLs. Nothing is decoded before somebody asks.

export interface FoundMedia {
  /** Where it is: `images[0].data`. */
  readonly path: string
  readonly kind: 'image' | 'audio' | 'video'
  readonly type: string
  readonly base64: string
}

/** What the bytes begin with, each byte a letter. */
const SIGNS: readonly (readonly [RegExp, FoundMedia['kind'], string])[] = [
  [/^\u0089PNG\r\n/u, 'image', 'image/png'],
  [/^\u00FF\u00D8\u00FF/u, 'image', 'image/jpeg'],
  [/^GIF8[79]a/u, 'image', 'image/gif'],
  [/^RIFF.{4}WEBP/su, 'image', 'image/webp'],
  [/^RIFF.{4}WAVE/su, 'audio', 'audio/wav'],
  [/^ID3|^\u00FF[\u00F2\u00F3\u00FA\u00FB]/u, 'audio', 'audio/mpeg'],
  [/^OggS/u, 'audio', 'audio/ogg'],
  [/^fLaC/u, 'audio', 'audio/flac'],
  [/^.{4}ftyp/su, 'video', 'video/mp4'],
  [/^.E\u00DF\u00A3/su, 'video', 'video/webm'],
]
const HEAD = 24
const BASE64 = /^[A-Za-z0-9+/]+$/u
const DATA_URL = /^data:((image|audio|video)\/[\w.+-]+);base64,/u
/** A picture is drawn only by what cannot contain scripts. */
const SKIPPED = new Set(['image/svg+xml'])
const LEAST = 64
const MOST = 20
const DEEPEST = 6

export function findMedia(value: unknown): readonly FoundMedia[] {
  const found: FoundMedia[] = []
  const look = (one: unknown, path: string, depth: number): void => {
    if (found.length >= MOST || depth > DEEPEST) return
    if (typeof one === 'string') {
      const media = mediaIn(one, path)
      if (media !== undefined) found.push(media)
    } else if (Array.isArray(one)) one.forEach((member, index) => look(member, `${path}[${index}]`, depth + 1))
    else if (typeof one === 'object' && one !== null)
      for (const [name, member] of Object.entries(one)) look(member, path === '' ? name : `${path}.${name}`, depth + 1)
  }
  look(value, '', 0)
  return found
}

function mediaIn(text: string, path: string): FoundMedia | undefined {
  if (text.length < LEAST) return undefined
  const [prefix, type, kind] = DATA_URL.exec(text.slice(0, 100)) ?? []
  if (prefix !== undefined && type !== undefined) {
    return SKIPPED.has(type) ? undefined : { path, kind: kind as FoundMedia['kind'], type, base64: text.slice(prefix.length) }
  }
  const head = text.slice(0, HEAD)
  if (!BASE64.test(head)) return undefined
  const bytes = atob(head)
  const sign = SIGNS.find(([start]) => start.test(bytes))
  return sign === undefined ? undefined : { path, kind: sign[1], type: sign[2], base64: text }
}

/** @throws where it is not base64 after all. */
export function toBlob({ base64, type }: FoundMedia): Blob {
  const bytes = Uint8Array.from(atob(base64.replaceAll(/\s/gu, '')), (letter) => letter.codePointAt(0) ?? 0)
  return new Blob([bytes], { type })
}
