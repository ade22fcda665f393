// From a request below `/openai` to the job that the worker gets (worker-api §14.1). The route is what the client asked for, query included:
// the current worker-vllm hands it to its inner server as it is.
import { RunyardError } from '@runyard/schema'
import { isFields, type Fields } from '../http/fields.ts'

export interface OpenaiCall {
  readonly input: Fields
  /** The client reads server-sent events. */
  readonly stream: boolean
}

/** `url` starts with `/v2/<endpoint>/openai`. @throws RunyardError('bad_request') */
export function readCall({ method, url, body }: { method: string; url: string; body: unknown }): OpenaiCall {
  const route = `/${url.split('/').slice(4).join('/')}`
  // Empty rather than absent: worker-sglang and others read `openai_input.get(…)` of whatever has a route.
  if (method === 'GET') return { input: { openai_route: route, openai_input: {} }, stream: false }
  if (!isFields(body)) throw new RunyardError('bad_request', 'the request body must be a JSON object')
  const { stream } = body
  // The string "true" makes worker-vllm's inner server stream what the worker then reads as one document.
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw new RunyardError('bad_request', '"stream" must be true or false')
  }
  return { input: toJobInput(method, route, body), stream: stream === true }
}

/** A filled `openai_input` means POST, an empty one GET; whatever is neither travels in worker-vllm's general form, which names the method. */
function toJobInput(method: string, route: string, body: Fields): OpenaiCall['input'] {
  const isEmpty = Object.keys(body).length === 0
  if (method === 'POST' && !isEmpty) return { openai_route: route, openai_input: body }
  return { route, method, ...(isEmpty ? {} : { body }) }
}
