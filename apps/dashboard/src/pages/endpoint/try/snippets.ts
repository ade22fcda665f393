// The same call in the languages of its callers. The key is a variable, so that it is in no history and no chat.
import type { ModeName } from './modes.ts'

export interface Call {
  /** Of the API, without a slash at its end. */
  readonly url: string
  readonly endpointId: string
  readonly mode: ModeName
  /** The body, JSON. */
  readonly text: string
}

export interface Snippet {
  readonly name: string
  readonly text: string
}

export function snippetsOf(call: Call): readonly Snippet[] {
  if (call.mode === 'chat') {
    return [
      { name: 'curl', text: toCurl(call, 'openai/v1/chat/completions') },
      { name: 'openai', text: toOpenai(call) },
    ]
  }
  return [
    { name: 'curl', text: toCurl(call, call.mode === 'sync' ? 'runsync' : 'run') },
    { name: 'runpod', text: toPython(call) },
    { name: 'runpod-sdk', text: toJavaScript(call) },
  ]
}

function toCurl({ url, endpointId, mode, text }: Call, route: string): string {
  const request = [
    `curl -sS${mode === 'chat' ? 'N' : ''} '${url}/v2/${endpointId}/${route}'`,
    `  -H "Authorization: Bearer $RUNPOD_API_KEY"`,
    `  -H 'Content-Type: application/json'`,
    `  -d '${text.replaceAll("'", `'\\''`)}'`,
  ].join(' \\\n')
  const follow = { stream: 'stream', async: 'status' } as const
  if (mode !== 'stream' && mode !== 'async') return request
  return `${request}\n# then, with the id of the answer:\ncurl -sS '${url}/v2/${endpointId}/${follow[mode]}/JOB_ID' -H "Authorization: Bearer $RUNPOD_API_KEY"`
}

const PYTHON_CALLS = {
  sync: ['print(endpoint.run_sync(request))'],
  async: ['job = endpoint.run(request)', 'print(job.output())'],
  stream: ['for chunk in endpoint.run(request).stream():', '    print(chunk)'],
} as const

function toPython({ url, endpointId, mode, text }: Call): string {
  if (mode === 'chat') return ''
  return [
    'import json, os',
    `os.environ["RUNPOD_ENDPOINT_BASE_URL"] = "${url}/v2"`,
    'import runpod',
    'runpod.api_key = os.environ["RUNPOD_API_KEY"]',
    `endpoint = runpod.Endpoint("${endpointId}")`,
    `request = ${toPythonJson(text)}`,
    ...PYTHON_CALLS[mode],
  ].join('\n')
}

const SCRIPT_CALLS = {
  sync: ['console.log(await endpoint.runSync(request))'],
  async: ['const { id } = await endpoint.run(request)', 'console.log(await endpoint.status(id))'],
  stream: ['const { id } = await endpoint.run(request)', 'for await (const chunk of endpoint.stream(id)) console.log(chunk)'],
} as const

function toJavaScript({ url, endpointId, mode, text }: Call): string {
  if (mode === 'chat') return ''
  return [
    `import runpodSdk from 'runpod-sdk'`,
    `const runpod = runpodSdk(process.env.RUNPOD_API_KEY, { baseUrl: '${url}/v2' })`,
    `const endpoint = runpod.endpoint('${endpointId}')`,
    `const request = ${text}`,
    ...SCRIPT_CALLS[mode],
  ].join('\n')
}

function toOpenai({ url, endpointId, text }: Call): string {
  const isStream = (JSON.parse(text) as { stream?: unknown }).stream === true
  const ends = isStream
    ? ['for chunk in answer:', '    print(chunk.choices[0].delta.content or "", end="")']
    : ['print(answer.choices[0].message.content)']
  return [
    'import json, os',
    'from openai import OpenAI',
    `client = OpenAI(base_url="${url}/v2/${endpointId}/openai/v1", api_key=os.environ["RUNPOD_API_KEY"])`,
    `answer = client.chat.completions.create(**${toPythonJson(text)})`,
    ...ends,
  ].join('\n')
}

/** What JSON escapes, Python reads the same. */
function toPythonJson(text: string): string {
  return `json.loads(${JSON.stringify(text)})`
}
