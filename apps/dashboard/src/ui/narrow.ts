import { useSyncExternalStore } from 'react'

/** As in style sheets: below it tables become cards. */
const QUERY = matchMedia('(max-width: 719px)')

function subscribe(onChange: () => void): () => void {
  QUERY.addEventListener('change', onChange)
  return () => QUERY.removeEventListener('change', onChange)
}

/** Whether the page is as narrow as a phone. */
export const useIsNarrow = (): boolean => useSyncExternalStore(subscribe, () => QUERY.matches)
