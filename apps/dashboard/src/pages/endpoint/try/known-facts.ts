// Runpod's answers have a 0, an empty text or an empty object where a job that has not run has no such fact.
import type { JobView } from '@runyard/schema/api'

/** A job that no worker had did not run. */
export function knownFacts({ delayTime, executionTime, workerId }: JobView): Pick<JobView, 'delayTime' | 'executionTime' | 'workerId'> {
  if (!workerId) return delayTime === undefined ? {} : { delayTime }
  return { ...(delayTime !== undefined && { delayTime }), ...(executionTime !== undefined && { executionTime }), workerId }
}

/** `{}` is an output only of a job that has completed. */
export function outputOf({ status, output }: JobView): unknown {
  const isEmpty = typeof output === 'object' && output !== null && Object.keys(output).length === 0
  return isEmpty && !Array.isArray(output) && status !== 'COMPLETED' ? undefined : output
}
