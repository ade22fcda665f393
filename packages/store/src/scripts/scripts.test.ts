// What holds for every script: Redis compiles it, its Lua names things and counts no places, and the names exist.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRedis } from '@runyard/testing'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { openStore } from '../index.ts'
import { definedScripts } from './define-script.ts'
import { undeclaredNames } from '../testing/lua-names.ts'

const SRC = join(import.meta.dirname, '..')
const luaFiles = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.lua'))
const textOf = (path: string): string => readFileSync(join(SRC, path), 'utf8')

test('Redis compiles each script, and each has a name of its own', async () => {
  await using redis = await startRedis()
  const client = new Redis(redis.url)
  try {
    const loaded = await Promise.all(definedScripts.map(async ({ name, text }) => client.script('LOAD', text()).then(() => name, String)))
    expect(loaded).toEqual(definedScripts.map(({ name }) => name))
  } finally {
    client.disconnect()
  }
  expect(new Set(definedScripts.map(({ name }) => name)).size).toBe(definedScripts.length)
  expect(openStore).toBeDefined()
  expect(definedScripts.length).toBeGreaterThan(0)
})

test.for(luaFiles)('%s counts no places of arguments and writes no key by hand', (path) => {
  const text = textOf(path)
  expect(text).not.toMatch(/\b(?:ARGV|KEYS)\s*\[/)
  // Names of keys and of the channel come from keys.ts.
  expect(text).not.toMatch(/'[\w{@}-]*:\w/)
})

test.for(luaFiles)('%s begins with a comment that says what it does, in plain words', (path) => {
  const header = /^(?:--.*\n)+/.exec(textOf(path))?.[0] ?? ''
  expect(header).toMatch(/^-- \S+ \S+/)
  expect(textOf(path)).not.toMatch(/--.*\b(?:told|tells|nobody|whoever|anybody)\b/)
})

test.for(definedScripts.map((script) => [script.name, script] as const))(
  'every name in %s is declared, and every argument used',
  ([, script]) => {
    const text = script.text()
    expect(undeclaredNames(text)).toEqual([])
    const isUsed = (name: string): boolean => (text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0) > 1
    expect(script.parts.names.filter((name) => !isUsed(name))).toEqual([])
  },
)
