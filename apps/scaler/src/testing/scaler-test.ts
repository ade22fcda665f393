// `test` with a scaler fixture of its own for each test, which ends with it; `fixture` is that of the running test.
import { test as base } from 'vitest'
import { openScalerFixture, type ScalerFixture } from './scaler-fixture.ts'

export { createFakeHost, endpointOf, type FakeHost } from './scaler-fixture.ts'

export let fixture: ScalerFixture

// oxlint-disable-next-line no-empty-pattern -- vitest reads a fixture's needs from its first parameter
export const test = base.extend('opened', { auto: true }, async ({}, { onCleanup }) => {
  fixture = await openScalerFixture()
  onCleanup(() => fixture[Symbol.asyncDispose]())
})
