import { timingSafeEqual } from 'node:crypto'

/** In a time that depends only on the lengths. */
export function isSameSecret(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
