import { endpointRecord } from '@runyard/testing/records'
import { expect, test } from 'vitest'
import { describeChanges } from './endpoint-history.ts'

test.each([
  ['nothing', {}, []],
  ['a command, whose words may be secrets', { spec: { args: 'serve --token x' } }, ['args']],
  ['hardware', { spec: { gpu: null, cpu: { instanceIds: ['cpu3g-2-8'] } } }, ['cpu']],
  ['scaling', { settings: { scaling: { type: 'REQUEST_COUNT' as const, requestCount: 2 } } }, ['scaling']],
  ['a name', { name: 'other' }, ['name (ep → other)']],
])('what changed is named: %s', (_, change, expected) => {
  expect(describeChanges(endpointRecord('ep'), endpointRecord('ep', change))).toEqual(expected)
})
