// The HTTP client of all tests, for requests that no SDK sends: to one listener, with the headers of one caller.
// oxlint-disable typescript/no-unnecessary-type-parameters -- `as` is the one cast of answers: a test knows the shape that it asks for

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Empty if the body is not JSON. */
  readonly json: Record<string, unknown>
  /** The body in the shape that the caller expects of this route. */
  as<T>(): T
}

export interface RequestOptions {
  /** Default: POST with a body, else GET. */
  readonly method?: string
  /** Text and bytes are sent as they are, everything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export type Send = (path: string, options?: RequestOptions) => Promise<Answer>

export function createSend(base: string, defaults: Readonly<Record<string, string>> = {}): Send {
  return async (path, { body, method = body === undefined ? 'GET' : 'POST', headers = {}, signal } = {}) => {
    const response = await fetch(base + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...defaults, ...headers },
      ...(body === undefined ? {} : { body: toBody(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    return toAnswer(response, await response.text())
  }
}

/** Reads a body. @throws unless the answer is 200. */
export function createRead(send: Send): <T>(path: string) => Promise<T> {
  return async <T>(path: string) => {
    const answer = await send(path)
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    return answer.as<T>()
  }
}

function toBody(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string') return body
  return body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body)
}

function toAnswer({ status, headers }: Response, text: string): Answer {
  const body = parse(text)
  return { status, headers, text, json: body as Record<string, unknown>, as: <T>() => body as T }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
