// Waits for a condition, never for a time: the only way in which a scenario may wait.

/** A probe is often a request or a command, and processors are scarce. */
const INTERVAL_MS = 100

/**
 * Polls `probe` until it returns something other than undefined and false.
 * @throws an error that names the condition, with the last error of the probe as its cause.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000)
  let cause: unknown
  for (;;) {
    // One more probe after the deadline, because the test process itself may have been blocked.
    const isOver = Date.now() >= deadline
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      cause = error
    }
    if (isOver) break
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? INTERVAL_MS))
  }
  throw new Error(`timed out waiting for ${what}`, cause === undefined ? {} : { cause })
}
