// Each snippet is read back by the language that it is for.
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { snippetsOf } from './snippets.ts'

const INPUT = `{"prompt":"it's \\"5\\" o'clock\\n$HOME \`ls\` ü"}`
const call = { url: 'http://127.0.0.1:8080', endpoint: { id: 'ep-1', name: 'my endpoint' }, input: INPUT }
const [curl, python, javascript, runyard] = snippetsOf(call).map(({ text }) => text)

it('quotes what a shell would change', () => {
  const script = `curl() { for one; do last=$one; done; printf '%s' "$last"; }\nrunyard() { printf '%s|%s|%s' "$@"; }\n`
  const run = (text = '') => execFileSync('sh', ['-c', script + text], { encoding: 'utf8' })
  expect(run(curl)).toBe(`{"input":${INPUT}}`)
  expect(run(runyard)).toBe(`run|my endpoint|${INPUT}`)
})

it('writes what Python and JavaScript read', () => {
  const [, literal = ''] = /json\.loads\((.*)\)/u.exec(python ?? '') ?? []
  expect(JSON.parse(JSON.parse(literal))).toEqual(JSON.parse(INPUT))
  expect(javascript).toContain(`runSync({ input: ${INPUT} })`)
})

it('names the key by its variable alone', () => {
  for (const text of [curl, python, javascript]) expect(text).toContain('RUNPOD_API_KEY')
})

it('wraps an input that would be taken for a request', () => {
  expect(snippetsOf({ ...call, input: '{"input":1}' }).at(-1)?.text).toBe(`runyard run 'my endpoint' '{"input":{"input":1}}'`)
})
