// Repeatable randomness: the same seed gives the same numbers.

export interface Chance {
  /** A number in [from, to). */
  between(from: number, to: number): number
  pick<T>(of: readonly T[]): T
}

/** mulberry32: 32 bits of state are enough to choose which process to kill next. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0
  const draw = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    between: (from, to) => from + draw() * (to - from),
    pick(of) {
      const chosen = of[Math.floor(draw() * of.length)]
      if (chosen === undefined) throw new RangeError('there is nothing to pick from')
      return chosen
    },
  }
}

/** The seed of this run; `RUNYARD_CHAOS_SEED` repeats an earlier run. */
export function seedOfRun(): number {
  const given = Number(process.env['RUNYARD_CHAOS_SEED'])
  return Number.isInteger(given) && given > 0 ? given : Date.now() % 2 ** 31
}
