// How a request can be sent, in the words of Runpod's clients.

export interface Mode {
  readonly name: 'sync' | 'async' | 'stream' | 'chat'
  readonly label: string
  readonly help: string
  /** What is in the form at first. */
  readonly example: string
}

const JOB_EXAMPLE = `{
  "input": {
    "prompt": "Hello, yard"
  }
}`
const CHAT_EXAMPLE = `{
  "model": "",
  "stream": true,
  "messages": [
    { "role": "user", "content": "Hello, yard" }
  ]
}`

const SYNC: Mode = {
  name: 'sync',
  label: 'sync',
  help: 'POST /runsync: waits for the result, which is kept for a minute.',
  example: JOB_EXAMPLE,
}
export const MODES: readonly Mode[] = [
  SYNC,
  { name: 'async', label: 'async', help: 'POST /run: the result is kept for half an hour, or as your settings say.', example: JOB_EXAMPLE },
  { name: 'stream', label: 'stream', help: 'POST /run, then /stream: what the function yields, as it comes.', example: JOB_EXAMPLE },
  {
    name: 'chat',
    label: 'OpenAI chat',
    help: 'POST /openai/v1/chat/completions, where the image answers it.',
    example: CHAT_EXAMPLE,
  },
]
export type ModeName = Mode['name']

export const modeOf = (name: string): Mode => MODES.find((mode) => mode.name === name) ?? SYNC
