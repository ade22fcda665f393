import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageProblem, resolveImage } from './image-reference.ts'

const SHA = 'a'.repeat(64)

describe('an image', () => {
  it.each([
    'x',
    'mine/worker:1',
    'runpod/flash:py3.12-latest',
    'runpod/worker-v1-vllm:v2.7',
    'lab:5000/llm:2',
    'localhost/x',
    'localhost:5000/a/b/c:Tag_1.2-3',
    'Registry.Example.com/x',
    '[::1]:5000/x',
    'ghcr.io/some-org/some_img__x/a--b:v1',
    `name@sha256:${SHA}`,
    `name:tag@sha256:${SHA}`,
    'e:latest',
    'docker.io/library/e',
    `${'a/'.repeat(126)}x`,
  ])('is named by %s', (image) => {
    expect(imageProblem(image)).toBeUndefined()
  })

  it.each([
    ['e', 'e:latest'],
    ['DEADBEEF', 'deadbeef:latest'],
    [SHA, 'beginning of an image’s id'],
    [`sha256:${SHA}`, 'the id of an image'],
    ['sha256:ab', 'the id of an image'],
    ['runyard/worker:latest/get?x=', 'it looks like'],
    ['../system/df?x=', 'is not the address of a registry'],
    ['a/../b', 'it looks like'],
    ['a//b', 'it looks like'],
    ['/a', 'it looks like'],
    ['a/', 'it looks like'],
    ['a..b', 'it looks like'],
    ['a/%2e%2e/b', 'it looks like'],
    ['Mine/Worker', 'lower case'],
    ['a b', 'white space'],
    ['a:', 'its tag'],
    ['a:-x', 'its tag'],
    [`a:${'x'.repeat(129)}`, 'its tag'],
    ['a@sha256:12', 'not a digest'],
    ['a@', 'not a digest'],
    ['ex_ample.com/x', 'the address of a registry'],
    ['http://example.com/x', 'is not the address of a registry'],
    [`${'a/'.repeat(127)}xx`, '255'],
    ['x'.repeat(100_000), 'too long'],
    ['x\u001B[2k', 'it looks like'],
  ])('is not named by %s', (image, why) => {
    const problem = imageProblem(image)
    expect(problem).toContain(why)
    expect(problem).toMatch(/^"[^\p{Cc}]+\.$/u)
    expect(problem?.length).toBeLessThan(400)
  })

  it('that is accepted contains nothing with a special meaning in a URL path', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'e', '1', '.', '/', ':', '@', '?', '#', '%', '-', '_', '\\', '[', ']', 'A', ' ', '&'),
    })
    // No path segment is empty or begins with a dot. Two dots inside a tag (`a:a..`) are harmless.
    const harmless = /^(?!.*(?:\/\/|\/\.))[\w[][\w.[\]:@/-]*$/
    const isHarmless = (image: string): boolean => imageProblem(image) !== undefined || harmless.test(image)
    const counterexample = fc.check(fc.property(text, isHarmless), { numRuns: 20_000 }).counterexample
    expect(counterexample).toBeNull()
  })
})

describe('the image that stands in for one of Runpod’s', () => {
  const defaultImages = { gpu: 'mine/torch:1', 'py3.10': 'mine/old:1', 'gpu-py3.13': 'mine/torch-new:1' }
  it.for([
    ['runpod/flash:py3.12-latest', 'mine/torch:1'],
    ['runpod/flash-cpu:py3.12-latest', 'runyard/worker:latest'],
    ['runpod/queue:py3.12-latest', 'runyard/worker:latest'],
    ['runpod/queue-gpu:py3.12-latest', 'mine/torch:1'],
    ['runpod/queue:py3.10-latest', 'mine/old:1'],
    ['runpod/flash:py3.10-latest', 'mine/old:1'],
    ['runpod/flash:py3.13-latest', 'mine/torch-new:1'],
    ['mine/handler:py3.10', 'mine/handler:py3.10'],
  ] as const)('follows hardware and Python: %s is %s', ([image, expected]) => {
    const defaults = { defaultImage: 'runyard/worker:latest', imageAliases: {}, defaultImages }
    expect(resolveImage(image, defaults).image).toBe(expected)
  })

  it('is the operator’s alias first', () => {
    const defaults = { defaultImage: 'd', imageAliases: { 'runpod/flash': 'alias' }, defaultImages }
    expect(resolveImage('runpod/flash:py3.12-latest', defaults).image).toBe('alias')
  })
})
