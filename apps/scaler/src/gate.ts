// Limits how many operations of one kind run at the same time; the others wait in order.
export type Gate = <T>(work: () => Promise<T>) => Promise<T>

export function createGate(limit: number): Gate {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // The place passes on; only without a next one is it given back.
      if (next === undefined) running -= 1
      else next()
    }
  }
}
