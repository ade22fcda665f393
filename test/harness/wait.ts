// Waiting on a condition, never on a time: the only way in which a scenario may wait.

/**
 * Polls `probe` until it returns something other than undefined and false.
 * @throws an error that names what was awaited, with the last error of the probe as its cause.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000)
  let cause: unknown
  for (;;) {
    // Looked at once more after it: the test itself may have been kept from looking.
    const isOver = Date.now() >= deadline
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      cause = error
    }
    if (isOver) break
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 50))
  }
  throw new Error(`waited in vain for ${what}`, cause === undefined ? {} : { cause })
}
