import { expect, test } from 'vitest'
import { inlineLua } from './inline-lua.ts'

const here = import.meta.filename
const transform = (code: string) => inlineLua().transform(code, here)

test('a bundle holds the name and the text of a Lua file in place of its URL', () => {
  const code = `const script = { lua: new URL('./fence.lua', import.meta.url) }`
  const inlined = transform(code) ?? ''
  expect(inlined).toMatch(/^const script = \{ lua: \{"name":"fence","text":".*STALE_TERM.*"\} \}$/)
  expect(inlined).not.toContain('import.meta.url')
})

test('other modules stay as they are', () => {
  expect(transform(`export const here = new URL('./x.txt', import.meta.url)`)).toBeUndefined()
})

test('a Lua file that is named in another way fails the build', () => {
  expect(() => transform('const lua = new URL(`./fence.lua`, import.meta.url)')).toThrow('in another way')
})
