// Which claim is served next when resources are scarce: the one with the smallest share; between equal shares, the one that waited longest.

export interface Claim {
  /** What it holds, in the unit of `shareOf`. */
  share: number
  /** How many more workers it wants. */
  missing: number
  /** Start of its wait, epoch ms; Infinity: no job waits. */
  readonly since: number
}

/** `grant` gives a claim room for one worker and returns that worker's share, or undefined if there is no room; the claim is then dropped. */
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
