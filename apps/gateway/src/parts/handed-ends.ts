// Sends the spans of jobs that the scaler has ended: it has no exporter, and hands such ends to whichever gateway takes them first.
import type { Logger } from '@runyard/kit'
import type { Store } from '@runyard/store'
import type { Traces } from './traces.ts'

const LOOK_EVERY_MS = 2000

interface HandedEndDeps {
  readonly store: Pick<Store, 'tracedEnds'>
  readonly traces: Pick<Traces, 'isOn' | 'jobEnded'>
  readonly log: Pick<Logger, 'warn'>
}

/** Does nothing where no spans are sent. */
export function followHandedEnds({ store, traces, log }: HandedEndDeps): AsyncDisposable {
  let looking = Promise.resolve()
  const look = async (): Promise<void> => {
    try {
      for (const { endpoint, end, traceparent } of await store.tracedEnds.take())
        traces.jobEnded({ id: endpoint.id, name: endpoint.name }, { ...end, traceparent })
    } catch (error) {
      log.warn({ err: error }, 'spans of jobs that the scaler ended wait for the next look')
    }
  }
  const lookAgain = (): void => {
    looking = looking.then(look)
  }
  const timer = traces.isOn ? setInterval(lookAgain, LOOK_EVERY_MS).unref() : undefined
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
    },
  }
}
