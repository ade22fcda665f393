// The call of a job in the languages of its callers. The key is a variable, so that it is in no history and no chat.
import { quoteShell } from '../../ui/quote-shell.ts'

export interface Call {
  /** Of the API, without a slash at its end. */
  readonly url: string
  readonly endpoint: { readonly id: string; readonly name: string }
  /** JSON. */
  readonly input: string
}

export interface Snippet {
  readonly name: string
  readonly text: string
}

export function snippetsOf(call: Call): readonly Snippet[] {
  return [
    { name: 'curl', text: toCurl(call) },
    { name: 'Python', text: toPython(call) },
    { name: 'JavaScript', text: toJavaScript(call) },
    { name: 'runyard', text: toRunyard(call) },
  ]
}

function toCurl({ url, endpoint, input }: Call): string {
  return [
    `curl -s ${url}/v2/${endpoint.id}/run`,
    `  -H "Authorization: Bearer $RUNPOD_API_KEY"`,
    `  -H 'Content-Type: application/json'`,
    `  -d ${quoteShell(`{"input":${input}}`)}`,
  ].join(' \\\n')
}

function toPython({ url, endpoint, input }: Call): string {
  return [
    'import json, os',
    `os.environ["RUNPOD_ENDPOINT_BASE_URL"] = ${JSON.stringify(`${url}/v2`)}`,
    'import runpod',
    'runpod.api_key = os.environ["RUNPOD_API_KEY"]',
    `input = json.loads(${quotePython(input)})`,
    `print(runpod.Endpoint(${JSON.stringify(endpoint.id)}).run(input).output())`,
  ].join('\n')
}

function toJavaScript({ url, endpoint, input }: Call): string {
  return [
    `import runpodSdk from 'runpod-sdk'`,
    `const runpod = runpodSdk(process.env.RUNPOD_API_KEY, { baseUrl: ${JSON.stringify(`${url}/v2`)} })`,
    `const job = await runpod.endpoint(${JSON.stringify(endpoint.id)}).runSync({ input: ${input} })`,
    'console.log(job.output)',
  ].join('\n')
}

/** The command takes an object with an `input` as a whole request. */
function toRunyard({ endpoint, input }: Call): string {
  const isLikeRequest = /"input"\s*:/u.test(input)
  return `runyard run ${quoteShell(endpoint.name)} ${quoteShell(isLikeRequest ? `{"input":${input}}` : input)}`
}

/** What JSON escapes, Python reads the same. */
function quotePython(text: string): string {
  return JSON.stringify(text)
}
