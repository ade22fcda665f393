import type { FoundJob } from '@runyard/schema/api'
import { Status, type StatusKind } from './status.tsx'

const KINDS: Readonly<Record<FoundJob['status'], StatusKind>> = {
  IN_QUEUE: 'starting',
  IN_PROGRESS: 'running',
  COMPLETED: 'done',
  FAILED: 'trouble',
  TIMED_OUT: 'trouble',
  CANCELLED: 'ended',
}

/** In Runpod's words. */
export function JobStatus({ status }: { readonly status: FoundJob['status'] }) {
  return <Status kind={KINDS[status]} word={status} />
}
