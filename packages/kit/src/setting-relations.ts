// Settings that are valid alone and make no sense together. The sentence is about one that was set, since the other may have its default.
import type { Config } from '@runyard/schema'

interface Relation {
  readonly keys: readonly [string, string]
  /** The end of a sentence, or undefined if the settings fit. */
  readonly problem: (config: Config) => string | undefined
}

const RELATIONS: readonly Relation[] = [
  {
    keys: ['lease.pingIntervalS', 'lease.durationS'],
    // One lost ping must not lose the job.
    problem: ({ lease: { pingIntervalS, durationS } }) =>
      2 * pingIntervalS <= durationS
        ? undefined
        : `a worker pings at least twice in a lease, so lease.pingIntervalS (${pingIntervalS}) is at most half of lease.durationS (${durationS})`,
  },
  {
    keys: ['webhooks.timeoutS', 'webhooks.maxAgeS'],
    problem: ({ webhooks: { timeoutS, maxAgeS } }) =>
      timeoutS <= maxAgeS ? undefined : `webhooks.timeoutS (${timeoutS}) of one attempt is at most webhooks.maxAgeS (${maxAgeS}) of all`,
  },
  {
    keys: ['tls.port', 'listen.port'],
    problem: ({ tls, listen }) =>
      tls.port === undefined || tls.port === 0 || tls.port !== listen.port
        ? undefined
        : `tls.port and listen.port are both ${tls.port}, and each listener needs a port of its own`,
  },
  {
    keys: ['tls.cert', 'tls.key'],
    problem: ({ tls: { cert, key } }) =>
      (cert === undefined) === (key === undefined) ? undefined : 'tls.cert and tls.key belong together: name both files, or none',
  },
]

/** The first problem, with the setting that it is about. */
export function findMisfit(
  config: Config,
  origins: Readonly<Record<string, string>>,
): { readonly key: string; readonly problem: string } | undefined {
  for (const { keys, problem } of RELATIONS) {
    const found = problem(config)
    if (found !== undefined) return { key: keys.find((key) => origins[key] !== 'default') ?? keys[0], problem: found }
  }
  return undefined
}
