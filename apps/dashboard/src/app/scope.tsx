// Who may: the page hides nothing that a key may not do, it says which scope it takes (ADR 81).
import { useQuery } from '@tanstack/react-query'
import { scopeRefusal } from '@runyard/core/key-scopes'
import type { KeyScope, OPERATOR_OWNER } from '@runyard/schema'
import { sessionQuery } from '../api/session.ts'
import styles from './scope.module.css'

/** The value itself would bring the schemas into the page. */
const OPERATOR: typeof OPERATOR_OWNER = 'owner'

/** Whether the session's key is one of the operator's owner, who alone may change hosts. */
export function useIsOperator(): boolean {
  return useQuery(sessionQuery).data?.ownerId === OPERATOR
}

/** Why the session's key may not, in a sentence. Undefined: it may. */
export function useRefusal(needed: KeyScope): string | undefined {
  const { data } = useQuery(sessionQuery)
  return data == null ? undefined : scopeRefusal(data, [needed])?.replace(/^forbidden: this needs/u, 'This needs')
}

/** The sentence, where there is one. */
export function ScopeNote({ needed }: { readonly needed: KeyScope }) {
  const refusal = useRefusal(needed)
  if (refusal === undefined) return null
  return (
    <p className={styles.note} role="note">
      <span aria-hidden>▲ </span>
      {refusal}.
    </p>
  )
}
