// Which hue the jobs of an endpoint have. Hash values of ids would give neighbours nearly the same hue. So an endpoint gets the first hue that no other
// endpoint of the picture has, in an order in which neighbours are far apart (`tokens.css`), and this browser keeps it. After all hues come the same ones
// with a stripe.
import { readKept, writeKept } from '../app/preferences.ts'

export const HUES = 9
const SIGNS = 2 * HUES
const NAME = 'hues'
const MOST_KEPT = 200

/** Signs of endpoints, the latest last. */
const chosen = new Map<string, number>(readChosen())

/** `ids`: the endpoints of one picture. The answer is from 0 to 17; from 9 on, it is the hue of 9 less, with a stripe. */
export function chooseHues(ids: readonly string[]): (id: string) => number {
  const added = ids.filter((id) => !chosen.has(id))
  for (const id of added) chosen.set(id, firstFree(ids))
  if (added.length > 0) writeKept(NAME, JSON.stringify([...chosen].slice(-MOST_KEPT)))
  return (id) => chosen.get(id) ?? 0
}

function firstFree(ids: readonly string[]): number {
  const taken = new Set(ids.map((id) => chosen.get(id)))
  const free = Array.from({ length: SIGNS }, (_, sign) => sign).find((sign) => !taken.has(sign))
  return free ?? chosen.size % SIGNS
}

function readChosen(): readonly (readonly [string, number])[] {
  const kept = parse(readKept(NAME))
  return Array.isArray(kept) ? kept.filter((pair) => isPair(pair)) : []
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '[]')
  } catch {
    return []
  }
}

/** Declared as a function: it is called while this module begins. */
function isPair(value: unknown): value is readonly [string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && Number.isInteger(value[1]) && value[1] >= 0 && value[1] < SIGNS
}
