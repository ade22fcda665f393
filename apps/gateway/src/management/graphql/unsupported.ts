// Operations that clients know and Runyard has no meaning for: one sentence instead of "Cannot query field" (management §4.2).
import { NO_PODS, NO_SSH_KEYS } from '../out-of-scope.ts'

const SENTENCES: Readonly<Record<string, string>> = {
  pod: NO_PODS,
  pods: NO_PODS,
  podFindAndDeployOnDemand: NO_PODS,
  podRentInterruptable: NO_PODS,
  deployCpuPod: NO_PODS,
  podStop: NO_PODS,
  podResume: NO_PODS,
  podTerminate: NO_PODS,
  updateUserSettings: NO_SSH_KEYS,
}

/** The sentence for a request that fails validation because it names one of them, whatever else is wrong with it. */
export function unsupportedSentence(messages: readonly string[]): string | undefined {
  const fields = messages.map((message) => /^Cannot query field "(\w+)"/u.exec(message)?.[1] ?? '')
  return fields.map((field) => (Object.hasOwn(SENTENCES, field) ? SENTENCES[field] : undefined)).find((sentence) => sentence !== undefined)
}
