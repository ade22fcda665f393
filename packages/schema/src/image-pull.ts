// The image of an endpoint on one host, as far as Runyard pulled it before a job arrived (ADR 59).
import type { Reason } from './reason.ts'

export const IMAGE_PULL_STATES = ['waiting', 'pulling', 'present', 'failed'] as const
export type ImagePullState = (typeof IMAGE_PULL_STATES)[number]

export interface ImagePull {
  readonly image: string
  /** The operator's name for the host. */
  readonly host: string
  readonly state: ImagePullState
  /** How far it is, or why it failed. */
  readonly message?: string | undefined
  /** Why it failed. */
  readonly reason?: Reason | undefined
  /** When it is tried again, epoch ms. */
  readonly nextTryAt?: number | undefined
}
