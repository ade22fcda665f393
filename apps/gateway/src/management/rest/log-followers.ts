// How many log streams one key may have open at a gateway: each of them costs reads for as long as it lasts.
import { RunyardError } from '@runyard/schema'

export const FOLLOWERS_PER_KEY = 20

export interface LogFollowers {
  /** @throws RunyardError('too_many_requests'). The stream is counted until it is disposed. */
  enter(keyId: string): Disposable
}

export function createLogFollowers(): LogFollowers {
  const open = new Map<string, number>()
  return {
    enter(keyId) {
      const others = open.get(keyId) ?? 0
      if (others >= FOLLOWERS_PER_KEY) {
        throw new RunyardError('too_many_requests', `This API key follows ${FOLLOWERS_PER_KEY} logs already; end one of them first.`, {
          refusal: 'log_followers',
        })
      }
      open.set(keyId, others + 1)
      return {
        [Symbol.dispose]() {
          const left = (open.get(keyId) ?? 1) - 1
          if (left === 0) open.delete(keyId)
          else open.set(keyId, left)
        },
      }
    },
  }
}
