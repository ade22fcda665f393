import { expect, test } from 'vitest'
import { createLogGate } from './log-pace.ts'

const PACE = { linesPerS: 10, bytesPerS: 1000, burstLines: 50, burstBytes: 5000 }

test('a burst passes, then as many lines per second as the pace allows, with one report of dropped lines', () => {
  const gate = createLogGate(PACE)
  const passed = (now: number, lines: number): number => Array.from({ length: lines }, () => gate.admits(1, now)).filter(Boolean).length
  expect(passed(0, 60)).toBe(50)
  expect(gate.report(0)).toBeUndefined()
  expect(passed(500, 5)).toBe(0)
  expect(gate.report(1000)).toBe('15 lines (15 bytes) dropped')
  expect(gate.report(1000)).toBeUndefined()
  expect(passed(1000, 20)).toBe(10)
  expect(gate.report(1000, true)).toBe('10 lines (10 bytes) dropped')
})

test('bytes are limited as well as lines, whatever the size of a line', () => {
  const gate = createLogGate(PACE)
  expect([gate.admits(4000, 0), gate.admits(4000, 0), gate.admits(1, 0)]).toEqual([true, true, false])
  expect(gate.admits(1, 3999)).toBe(false)
  expect(gate.admits(1, 4000)).toBe(true)
  expect(gate.report(4000)).toBe('2 lines (2 bytes) dropped')
})

test('after the clock is set back the gate opens again within one refill', () => {
  const gate = createLogGate(PACE)
  for (let line = 0; line < 60; line += 1) gate.admits(1, 1_000_000)
  expect(gate.admits(1, 5000)).toBe(false)
  expect(gate.admits(1, 6000)).toBe(true)
})

test('whether lines were dropped is known until they are reported, one in the singular', () => {
  const gate = createLogGate({ ...PACE, burstLines: 1 })
  expect([gate.admits(1, 0), gate.hasDropped(), gate.admits(1, 0), gate.hasDropped()]).toEqual([true, false, false, true])
  expect(gate.report(0, true)).toBe('1 line (1 bytes) dropped')
  expect(gate.hasDropped()).toBe(false)
})
