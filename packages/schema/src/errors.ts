// The catalogue of errors that reach a user: code → HTTP status. Adapters translate vendor errors into these.
export const ERROR_CODES = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  /** This scaler is no longer the leader; occurs only in scalers. */
  stale_term: 409,
  payload_too_large: 413,
  unprocessable: 422,
  too_many_requests: 429,
  internal: 500,
  /** The HTTP server inside a worker cannot be reached, or ended in mid-answer. */
  bad_gateway: 502,
  store_unavailable: 503,
  /** No worker was ready in time, or its server took too long. */
  gateway_timeout: 504,
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/**
 * The cause of a failed start. `image`, `request` and `secret` (one that does not exist): the endpoint, which pauses before its next start; `disk`: no room
 * for its image, `python`: no Python for its app, likewise. `gpu` and `host`: the host, which rests.
 */
export const START_FAULTS = ['image', 'request', 'secret', 'disk', 'python', 'gpu', 'host'] as const
export type StartFault = (typeof START_FAULTS)[number]

/** Which limit refused a request; a label of metrics. */
export const REFUSAL_REASONS = [
  'rate',
  'open_requests',
  'queue',
  'key_queue',
  'idempotency_keys',
  'batches',
  'log_followers',
  'body_size',
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** An error with a code from the catalogue and one clear sentence for the user. */
export class RunyardError extends Error {
  override readonly name = 'RunyardError'
  readonly code: ErrorCode
  /** Seconds after which a retry makes sense, for `Retry-After`. */
  readonly retryAfterS: number | undefined
  /** Set by hosts for failed starts. */
  readonly fault: StartFault | undefined
  /** The limit or budget that refused the request, if one did. */
  readonly refusal: RefusalReason | undefined
  /** Of a request that does not fit its shape, as the answer has them: `body.workers.max: must be at most 1000`. */
  readonly issues: readonly string[]

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown
      retryAfterS?: number
      fault?: StartFault | undefined
      refusal?: RefusalReason
      issues?: readonly string[]
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfterS = options.retryAfterS
    this.fault = options.fault
    this.refusal = options.refusal
    this.issues = options.issues ?? []
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code]
  }
}

/** What an error says, whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The code of an error of the system, such as ENOENT; undefined: it has none. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
