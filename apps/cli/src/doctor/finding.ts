// What `runyard doctor` finds: one line per subject, in plain words, with the command that mends it.

export interface Finding {
  readonly subject: string
  /** missing: something that is needed; note: it works, but there is something to know. */
  readonly verdict: 'ok' | 'note' | 'missing'
  readonly words: string
  /** A command or a sentence. */
  readonly mend?: string
}

export const ok = (subject: string, words: string): Finding => ({ subject, verdict: 'ok', words })
export const note = (subject: string, words: string, mend?: string): Finding => withMend({ subject, verdict: 'note', words }, mend)
export const missing = (subject: string, words: string, mend?: string): Finding => withMend({ subject, verdict: 'missing', words }, mend)

function withMend(finding: Finding, mend: string | undefined): Finding {
  return mend === undefined ? finding : { ...finding, mend }
}
