// From a request below `/openai` to the job that the worker gets (worker-api §14.1). The route is what the client asked for, query included:
// the current worker-vllm hands it to its inner server as it is.
import { RunyardError, toJson, type JsonText } from '@runyard/schema'
import { withMember } from '@runyard/schema/json-join'
import { cut, outlineBody, parseMember } from '../http/json-body.ts'

export interface OpenaiCall {
  readonly input: JsonText
  /** The client reads server-sent events. */
  readonly stream: boolean
}

const STREAM: ReadonlySet<string> = new Set(['stream'])

/** `url` starts with `/v2/<endpoint>/openai`. @throws RunyardError('bad_request') */
export async function readCall({ method, url, body }: { method: string; url: string; body: Buffer }): Promise<OpenaiCall> {
  const route = `/${url.split('/').slice(4).join('/')}`
  // Empty rather than absent: worker-sglang and others read `openai_input.get(…)` of whatever has a route.
  if (method === 'GET') return { input: toJson({ openai_route: route, openai_input: {} }), stream: false }
  const outline = await outlineBody(body, { members: STREAM })
  if (outline.kind !== 'object') throw new RunyardError('bad_request', 'the request body must be a JSON object')
  const stream = parseMember(body, outline.members.get('stream'), 'stream')
  // The string "true" makes worker-vllm's inner server stream what the worker then reads as one document.
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw new RunyardError('bad_request', '"stream" must be true or false')
  }
  const given = outline.count === 0 ? undefined : cut(body, outline)
  return { input: toJobInput(method, route, given), stream: stream === true }
}

/** A filled `openai_input` means POST, an empty one GET; whatever is neither travels in worker-vllm's general form, which names the method. */
function toJobInput(method: string, route: string, given: JsonText | undefined): JsonText {
  if (given === undefined) return toJson({ route, method })
  return method === 'POST' ? withMember({ openai_route: route }, 'openai_input', given) : withMember({ route, method }, 'body', given)
}
