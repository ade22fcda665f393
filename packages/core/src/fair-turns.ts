// Who is next where several want what is scarce: who has least; between equals, who has waited longest.

export interface Claim {
  /** What it has, in the unit of `shareOf`. */
  share: number
  /** How many more workers it wants. */
  missing: number
  /** Since when it waits, epoch ms; Infinity: no job waits. */
  readonly since: number
}

/** `grant` gives one worker's worth and returns its share, or undefined where there is none; then that claim is out. */
export function grantInTurns<T extends Claim>(claims: readonly T[], grant: (claim: T) => number | undefined): void {
  const open = new Set(claims.filter((claim) => claim.missing > 0))
  while (open.size > 0) {
    const next = [...open].reduce((best, claim) => (isBefore(claim, best) ? claim : best))
    const share = grant(next)
    if (share !== undefined) {
      next.share += share
      next.missing -= 1
    }
    if (share === undefined || next.missing === 0) open.delete(next)
  }
}

function isBefore(one: Claim, other: Claim): boolean {
  return one.share === other.share ? one.since < other.since : one.share < other.share
}
