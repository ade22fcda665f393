import { expect, it } from 'vitest'
import { readManifest, refuseModels } from './manifests.ts'

const manifestOf = (resource: object) => readManifest({ app: 'a', version: 1, resources: [{ name: 'chat', ...resource }] }).manifest

it('a build that asks for a cached model is refused with its name, before it exists', () => {
  expect(() => refuseModels(manifestOf({ model: 'meta/llama:main' }))).toThrow(
    'The resource "chat" asks for the cached model "meta/llama:main"',
  )
})

it.each([[{}], [{ model: '' }], [{ model: null }]])('a build without one is accepted: %j', (resource) => {
  expect(() => refuseModels(manifestOf(resource))).not.toThrow()
})
