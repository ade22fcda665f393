// One run at a time per id, for work that callers may ask for again while it goes on.

/** A call during another one with its id waits for that one, and ends as it does. */
export function onceAtATime<Item>(idOf: (item: Item) => string, act: (item: Item) => Promise<void>): (item: Item) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  return async (item) => {
    const id = idOf(item)
    const run = running.get(id) ?? act(item).finally(() => running.delete(id))
    running.set(id, run)
    await run
  }
}
