// A scope owns everything that is opened in it. It closes in reverse order of opening, attempts all, and has one grace budget for the whole.
// What does not close within the budget is reported and left open. Closing never throws.
import type { Logger } from './logger.ts'

export interface Scope extends AsyncDisposable {
  /** Owns a disposable from now on; returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T, name?: string): T
  /** Runs `close` when the scope closes. */
  defer(close: () => void | PromiseLike<void>, name?: string): void
  /** Owns a value that is closed by a function; returns it. */
  adopt<T>(value: T, close: (value: T) => void | PromiseLike<void>, name?: string): T
}

const EXPIRED = Symbol('expired')

export function openScope(options: { graceMs: number; log: Pick<Logger, 'warn'> }): Scope {
  const stack = new AsyncDisposableStack()
  let deadline: number | undefined

  async function closeWithin(close: () => void | PromiseLike<void>, name: string): Promise<void> {
    deadline ??= performance.now() + options.graceMs
    const left = Math.max(0, deadline - performance.now())
    let timer: NodeJS.Timeout | undefined
    const expiry = new Promise<typeof EXPIRED>((resolve) => {
      timer = setTimeout(resolve, left, EXPIRED)
    })
    try {
      const first = await Promise.race([Promise.resolve(close()), expiry])
      if (first === EXPIRED) options.log.warn({ resource: name, graceMs: options.graceMs }, 'did not close within the grace budget')
    } catch (error) {
      options.log.warn({ resource: name, err: error }, 'failed to close')
    } finally {
      clearTimeout(timer)
    }
  }

  const scope: Scope = {
    defer(close, name = 'resource') {
      stack.defer(() => closeWithin(close, name))
    },
    use(resource, name) {
      scope.defer(async () => {
        await (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]())
      }, name)
      return resource
    },
    adopt(value, close, name) {
      scope.defer(() => close(value), name)
      return value
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync()
    },
  }
  return scope
}
