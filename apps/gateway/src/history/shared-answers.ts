// Pages that are open at the same time ask for the same pictures of the past: within some seconds one answer is for all that ask alike.

/** Ranges of pages move in steps of ten seconds, all at the same time. */
const SHARED_MS = 2500
/** An answer may have some hundred kilobytes. */
const MOST = 50

export type SharedAnswers<T> = (question: string, read: () => Promise<T>) => Promise<T>

/** `question` must name whose answer it is. What fails is asked again. */
export function createSharedAnswers<T>(): SharedAnswers<T> {
  /** The oldest first. */
  const kept = new Map<string, { readonly at: number; readonly answer: Promise<T> }>()
  return (question, read) => {
    const now = performance.now()
    for (const [name, { at }] of kept) if (now - at >= SHARED_MS || kept.size >= MOST) kept.delete(name)
    const known = kept.get(question)
    if (known !== undefined) return known.answer
    const entry = { at: now, answer: read() }
    kept.set(question, entry)
    entry.answer.catch(() => kept.get(question) === entry && kept.delete(question))
    return entry.answer
  }
}
