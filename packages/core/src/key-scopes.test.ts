import type { KeyScope } from '@runyard/schema'
import type { NeededScope } from '@runyard/schema/api'
import { expect, test } from 'vitest'
import { mayCall, scopeRefusal, scopesOf } from './key-scopes.ts'

test.each<[string, KeyScope[] | undefined, NeededScope, boolean]>([
  ['a key without scopes calls everything', undefined, ['admin'], true],
  ['a scope includes others', ['operate'], ['view'], true],
  ['and not those above it', ['operate'], ['admin'], false],
  ['one of the scopes that a route names is enough', ['metrics'], ['view', 'metrics'], true],
  ['a key with no scope at all calls nothing', [], ['view'], false],
  ['a route with a guard of its own is left to it', [], 'worker token', true],
])('%s', (_, scopes, needed, may) => {
  expect(mayCall({ scopes }, needed)).toBe(may)
  expect(scopeRefusal({ name: 'ci', scopes }, needed) === undefined).toBe(may)
})

test('a refusal names what is needed and what the key has', () => {
  expect(scopeRefusal({ name: 'ci', scopes: ['run', 'view'] }, ['operate', 'admin'])).toBe(
    'forbidden: this needs an API key with the scope "operate" or "admin"; the key "ci" has "run", "view"',
  )
  expect(scopeRefusal({ name: 'ci', scopes: [] }, ['view'])).toMatch(/the key "ci" has none$/u)
})

test('a key without scopes is an admin', () => {
  expect(scopesOf({})).toEqual(['admin'])
  expect(scopesOf({ scopes: ['run'] })).toEqual(['run'])
})
