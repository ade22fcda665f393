import { expect, test } from 'vitest'
import { openStore } from '../index.ts'
import { definedScripts } from './define-script.ts'
import { usedParts } from './used-parts.ts'

const LIBRARY = `
local q = KEYS[1]
-- Says what one() is.
local function one(id)
  return q .. id
end
local function two(id) return one(id) end

local LEAST, MOST = 1, 2
local NAMES = {
  'two',
}
local function three() return NAMES end
redis.call('PING')
local function seldom(id) -- rare
  return two(id) .. LEAST
end
local function often(id)
  if id then return seldom(id) end
end
`
const parts = (script: string): readonly string[] => usedParts(LIBRARY, script).split('\n').filter(Boolean)

test('a part goes where neither the script nor a part that stays names it', () => {
  expect(parts('return 1')).toEqual([`redis.call('PING')`])
  expect(parts('return two(ARGV[1])')).toEqual([
    'local q = KEYS[1]',
    'local function one(id)',
    '  return q .. id',
    'end',
    'local function two(id) return one(id) end',
    `redis.call('PING')`,
  ])
})

test('one statement may declare several names, and go on over several lines', () => {
  expect(parts('return MOST')).toEqual(['local LEAST, MOST = 1, 2', `redis.call('PING')`])
  expect(parts('return three()')).toEqual([
    'local q = KEYS[1]',
    'local function one(id)',
    '  return q .. id',
    'end',
    'local function two(id) return one(id) end',
    'local NAMES = {',
    "  'two',",
    '}',
    'local function three() return NAMES end',
    `redis.call('PING')`,
  ])
})

test('what serves a rare function alone stands in its body, what others use, too, above it', () => {
  expect(parts('return often(one(ARGV[1]))')).toEqual([
    'local q = KEYS[1]',
    'local function one(id)',
    '  return q .. id',
    'end',
    `redis.call('PING')`,
    'local function seldom(id) -- rare',
    'local function two(id) return one(id) end',
    'local LEAST, MOST = 1, 2',
    '  return two(id) .. LEAST',
    'end',
    'local function often(id)',
    '  if id then return seldom(id) end',
    'end',
  ])
})

test('a submit carries what weighs a job and puts it into a queue, and nothing that ends one', () => {
  expect(openStore).toBeDefined()
  const submit = definedScripts.find(({ name }) => name === 'submit')
  const names = [...(submit?.text() ?? '').matchAll(/^local function (\w+)/gm)].map(([, name]) => name)
  expect(names).toEqual([
    'jobKey',
    'addWeight',
    'weigh',
    'noRoomFor',
    'isKeyFull',
    'countForKey',
    'noteQueued',
    'enqueueJob',
    'submitJob',
    'publish',
  ])
})
