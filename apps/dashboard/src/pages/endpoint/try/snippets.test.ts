import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { snippetsOf, type Call } from './snippets.ts'

const BODY = { input: { prompt: `it's "here"\n$HOME \`x\` \\`, n: 1, on: true, none: null } }
const call = (mode: Call['mode'], text = JSON.stringify(BODY)): Call => ({ url: 'http://yard:1', endpointId: 'e1', mode, text })
const named = (asked: Call, name: string): string => snippetsOf(asked).find((snippet) => snippet.name === name)?.text ?? ''

it('no snippet has a key in it, and each reads it from the same variable', () => {
  for (const mode of ['sync', 'async', 'stream', 'chat'] as const)
    for (const { text } of snippetsOf(call(mode, '{"input":1,"messages":[]}'))) expect(text).toMatch(/RUNPOD_API_KEY/u)
})

it('a shell gets the body as it was written, whatever quotes it has', () => {
  const [, sent] = /-d ('[\s\S]*')$/u.exec(named(call('sync'), 'curl')) ?? []
  const read = execFileSync('sh', ['-c', `printf %s ${sent}`], { encoding: 'utf8' })
  expect(JSON.parse(read)).toEqual(BODY)
})

it('Python reads the body as it was written', () => {
  const [, literal] = /request = (json\.loads\(.*\))$/mu.exec(named(call('sync'), 'runpod')) ?? []
  const read = execFileSync('python3', ['-c', `import json; print(json.dumps(${literal}))`], { encoding: 'utf8' })
  expect(JSON.parse(read)).toEqual(BODY)
})

it('each mode calls what it is named after', () => {
  expect(named(call('sync'), 'curl')).toContain('/v2/e1/runsync')
  expect(named(call('stream'), 'curl')).toContain('/v2/e1/stream/JOB_ID')
  expect(named(call('async'), 'runpod')).toContain('endpoint.run(request)')
  expect(named(call('stream'), 'runpod-sdk')).toContain('endpoint.stream(id)')
  expect(named(call('chat', '{"messages":[],"stream":true}'), 'openai')).toContain('delta.content')
})
