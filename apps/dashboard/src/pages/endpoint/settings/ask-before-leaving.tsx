import { useBlocker } from '@tanstack/react-router'
import { Confirm } from '../../../ui/dialog.tsx'

/** Changes that are not saved are not lost by a link, and not by closing the tab. */
export function AskBeforeLeaving({ hasChanges }: { readonly hasChanges: boolean }) {
  const blocker = useBlocker({
    // Another range is the same page.
    shouldBlockFn: ({ current, next }) => hasChanges && current.pathname !== next.pathname,
    enableBeforeUnload: () => hasChanges,
    withResolver: true,
  })
  if (blocker.status !== 'blocked') return null
  return (
    <Confirm title="Leave without saving?" verb="Leave" isPending={false} error={null} onConfirm={blocker.proceed} onClose={blocker.reset}>
      <p>The changes of these settings are not saved.</p>
    </Confirm>
  )
}
