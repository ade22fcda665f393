// A worker that a test plays: the calls of the worker protocol (worker-api §4–§8), one at a time, as an SDK sends them.
import { createSend, type Answer, type RequestOptions, type Send } from './http.ts'

export interface PlayedWorker {
  readonly id: string
  readonly token: string
  /** To the worker plane, with its token. */
  readonly send: Send
  /** One long poll; undefined on 204. */
  take(options?: RequestOptions): Promise<{ id: string; input: unknown } | undefined>
  stream(jobId: string, body: unknown): Promise<Answer>
  done(jobId: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
  ping(jobIds?: readonly string[], query?: string): Promise<Answer>
}

export interface WorkerPlace {
  readonly planeUrl: string
  readonly endpointId: string
  readonly id: string
  readonly token: string
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

export function playWorker({ planeUrl, endpointId, id, token }: WorkerPlace): PlayedWorker {
  const agent = 'RunPod-Python-SDK/1.12.0 (Linux) Language/Python 3.11.7'
  const send = createSend(planeUrl, { authorization: token, 'user-agent': agent })
  const base = `/v2/${endpointId}`
  return {
    id,
    token,
    send,
    async take(options) {
      const answer = await send(`${base}/job-take/${id}?gpu=none&job_in_progress=0`, options)
      return answer.status === 200 ? answer.as<{ id: string; input: unknown }>() : undefined
    },
    stream: (jobId, body) => send(`${base}/job-stream/${id}/${jobId}?gpu=none&isStream=false`, { method: 'POST', body, headers: FORM }),
    done: (jobId, body, headers = {}) =>
      send(`${base}/job-done/${id}/${jobId}?gpu=none&isStream=false`, { method: 'POST', body, headers: { ...FORM, ...headers } }),
    ping: (jobIds = [], query = '') =>
      send(`${base}/ping/${id}?gpu=none${jobIds.length === 0 ? '' : `&job_id=${encodeURIComponent(jobIds.join(','))}`}${query}`),
  }
}
