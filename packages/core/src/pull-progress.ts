// How far the pull of an image is, from the lines that an engine prints about each layer: `4f4fb700ef54 Downloading [==> ]  1.2MB/30.1MB`.
// Lines of another form are ignored.

export interface PullProgress {
  readonly layers: ReadonlyMap<string, Layer>
}

interface Layer {
  readonly isDone: boolean
  readonly bytes: number
  readonly totalBytes: number
}

export const NO_PROGRESS: PullProgress = { layers: new Map() }

const LAYER = /^([0-9a-f]{12}) (\S.*)$/u
const SIZES = /([\d.]+)\s?(B|kB|MB|GB)\/([\d.]+)\s?(B|kB|MB|GB)/u
const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }

export function addPullLine(progress: PullProgress, line: string): PullProgress {
  const [, id, words] = LAYER.exec(line) ?? []
  if (id === undefined || words === undefined) return progress
  const before = progress.layers.get(id) ?? { isDone: false, bytes: 0, totalBytes: 0 }
  return { layers: new Map([...progress.layers, [id, layerAfter(before, words)]]) }
}

function layerAfter(before: Layer, words: string): Layer {
  if (/^(?:Pull complete|Already exists)/u.test(words)) return { ...before, isDone: true, bytes: before.totalBytes }
  if (/^(?:Download complete|Verifying Checksum|Extracting)/u.test(words)) return { ...before, bytes: before.totalBytes }
  const sizes = words.startsWith('Downloading') ? SIZES.exec(words) : null
  if (sizes === null) return before
  const [, have, haveUnit, total, totalUnit] = sizes
  return { isDone: false, bytes: bytesOf(have, haveUnit), totalBytes: bytesOf(total, totalUnit) }
}

/** Both are parts of a match. */
const bytesOf = (number: string | undefined, unit: string | undefined): number => Number(number) * Number(UNITS[String(unit)])

/** Of the layers that the engine has downloaded. */
export function pulledBytes({ layers }: PullProgress): number {
  return [...layers.values()].reduce((sum, layer) => sum + layer.bytes, 0)
}

/** E.g. `3 of 7 layers, 120 of 980 MB`; the size grows while the engine learns of more layers. Undefined: nothing is known. */
export function pullWords({ layers }: PullProgress): string | undefined {
  const all = [...layers.values()]
  if (all.length === 0) return undefined
  const megabytes = (sum: number): number => Math.round(sum / 1e6)
  const total = megabytes(all.reduce((sum, layer) => sum + layer.totalBytes, 0))
  const have = megabytes(all.reduce((sum, layer) => sum + layer.bytes, 0))
  return `${all.filter(({ isDone }) => isDone).length} of ${all.length} layers${total === 0 ? '' : `, ${have} of ${total} MB`}`
}
