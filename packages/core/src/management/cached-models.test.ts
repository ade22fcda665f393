import { expect, it } from 'vitest'
import { modelLayout, modelsIn, parseModelReference, parseModelReferences } from './cached-models.ts'
import { readManifest } from './apps.ts'

it.each([
  ['a/b', { repo: 'a/b', ref: 'main' }],
  ['a/b:v1', { repo: 'a/b', ref: 'v1' }],
  ['https://huggingface.co/a/b:refs/pr/1', { repo: 'a/b', ref: 'refs/pr/1' }],
])('the reference %s names a model and a revision', (text, model) => {
  expect(parseModelReference(text)).toEqual(model)
})

it.each([['b'], ['a/b/c'], ['../b'], ['a/..'], ['a/b:'], ['a/b:../x'], ['a/b:v:1'], ['a/b:/x']])('%s is no reference', (text) => {
  expect(() => parseModelReference(text)).toThrow('A model is written as "owner/name" or "owner/name:revision"')
})

it('an endpoint cannot have two revisions of one model', () => {
  expect(() => parseModelReferences(['a/b', 'a/b:v1'])).toThrow('The model "a/b" is named twice.')
})

it('an endpoint has eight models at most', () => {
  expect(() => parseModelReferences(Array<string>(9).fill('a/b'))).toThrow('An endpoint has at most 8 models; 9 were given.')
})

it('the models of a manifest come with the variables of their resource', () => {
  const resources = [{ name: 'chat', model: 'a/b', env: { HF_TOKEN: 't', N: 1 } }, { name: 'plain' }, { name: 'empty', model: '' }]
  const { manifest } = readManifest({ app: 'a', version: 1, resources })
  expect(modelsIn(manifest)).toEqual([{ resource: 'chat', reference: 'a/b', env: { HF_TOKEN: 't' } }])
})

it('links of files in directories lead to the blobs', () => {
  const model = { repo: 'a/b', ref: 'v1', commit: 'c1', sizeBytes: 1, needsToken: false }
  const { links, texts } = modelLayout(model, [
    { path: 'config.json', blob: 'x' },
    { path: 'onnx/deep/m.bin', blob: 'y' },
  ])
  expect(links).toEqual([
    { path: 'snapshots/c1/config.json', target: '../../blobs/x' },
    { path: 'snapshots/c1/onnx/deep/m.bin', target: '../../../../blobs/y' },
    { path: 'c1', target: 'snapshots/c1' },
  ])
  expect(texts).toEqual([
    { path: 'refs/v1', text: 'c1' },
    { path: 'refs/main', text: 'c1' },
  ])
})
