// What `runyard doctor` finds: one line per subject, in plain words, with the command that fixes it.
import type { HostFinding } from '@runyard/schema'

export type Finding = HostFinding

export const ok = (subject: string, words: string): Finding => ({ subject, verdict: 'ok', words })
export const note = (subject: string, words: string, mend?: string): Finding => withMend({ subject, verdict: 'note', words }, mend)
export const missing = (subject: string, words: string, mend?: string): Finding => withMend({ subject, verdict: 'missing', words }, mend)

function withMend(finding: Finding, mend: string | undefined): Finding {
  return mend === undefined ? finding : { ...finding, mend }
}
