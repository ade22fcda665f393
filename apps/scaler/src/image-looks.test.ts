import { createLogger } from '@runyard/kit'
import { expect, test, vi } from 'vitest'
import { createImageLooks } from './image-looks.ts'

const log = createLogger({ name: 'test', level: 'silent' })

test('a tag is looked up once for each save, in the background', async () => {
  const asked: string[] = []
  const driver = {
    imageId: async (image: string) => {
      asked.push(image)
      return `id-${asked.length}`
    },
  }
  const onChange = vi.fn()
  const looks = createImageLooks({ driver, log, onChange })
  const saved = Date.now() - 1
  expect(looks.idSince('mine:1', saved)).toBeUndefined()
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledOnce())
  expect([looks.idSince('mine:1', saved), looks.idSince('mine:1', saved)]).toEqual(['id-1', 'id-1'])
  expect(asked).toEqual(['mine:1'])
  // Saved again: what was seen before says nothing.
  const savedAgain = Date.now()
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(savedAgain))
  await vi.waitFor(() => expect(looks.idSince('mine:1', savedAgain)).toBe('id-2'), { timeout: 20_000 })
})

test('a look that fails is not known, and is tried again', async () => {
  const imageId = vi.fn<(image: string) => Promise<string>>().mockRejectedValueOnce(new Error('the engine is away')).mockResolvedValue('id')
  const looks = createImageLooks({ driver: { imageId }, log, onChange: () => undefined })
  expect(looks.idSince('mine:1', 0)).toBeUndefined()
  await vi.waitFor(() => expect(looks.idSince('mine:1', 0)).toBe('id'))
})
