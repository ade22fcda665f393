// The held requests of one kind of one worker. Each hold is bounded by a timer, ends when its client goes away, and can be released early.
export interface Hold {
  /** True once it is over: its request is being answered. */
  readonly ended: boolean
  end(): void
}

export interface HoldOptions {
  readonly holdMs: number
  readonly signal: AbortSignal
  /** Called once: after `holdMs`, on abort, or on release. */
  readonly onEnd: () => void
}

export function createHeldRequests() {
  const open = new Set<Hold>()
  return {
    hold({ holdMs, signal, onEnd }: HoldOptions): Hold {
      let ended = false
      const end = (): void => {
        if (ended) return
        ended = true
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        open.delete(hold)
        onEnd()
      }
      const hold: Hold = {
        get ended() {
          return ended
        },
        end,
      }
      const timer = setTimeout(end, holdMs)
      signal.addEventListener('abort', end)
      open.add(hold)
      if (signal.aborted) end()
      return hold
    },
    releaseAll() {
      for (const hold of open) hold.end()
    },
    get size() {
      return open.size
    },
  }
}
