import { expect, it } from 'vitest'
import { findMedia, toBlob } from './find-media.ts'

const base64 = (start: readonly (number | string)[]): string =>
  Buffer.concat([
    ...start.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
    Buffer.alloc(80),
  ]).toString('base64')

it.each([
  ['image/png', base64([0x89, 'PNG\r\n', 0x1a, '\n'])],
  ['image/jpeg', base64([0xff, 0xd8, 0xff, 0xe0])],
  ['image/gif', base64(['GIF89a'])],
  ['image/webp', base64(['RIFF', 1, 2, 3, 4, 'WEBPVP8 '])],
  ['audio/wav', base64(['RIFF', 1, 2, 3, 4, 'WAVEfmt '])],
  ['audio/mpeg', base64(['ID3'])],
  ['audio/ogg', base64(['OggS'])],
  ['video/mp4', base64([0, 0, 0, 0x20, 'ftypisom'])],
  ['video/webm', base64([0x1a, 0x45, 0xdf, 0xa3])],
])('%s is known by its first bytes', (type, text) => {
  expect(findMedia({ out: [text] })).toMatchObject([{ path: 'out[0]', type }])
})

it('a data URL says what it is; a drawing that could have scripts stays text', () => {
  const png = base64([0x89, 'PNG\r\n', 0x1a, '\n'])
  expect(findMedia([`data:image/png;base64,${png}`])).toEqual([{ path: '[0]', kind: 'image', type: 'image/png', base64: png }])
  expect(findMedia(`data:image/svg+xml;base64,${'A'.repeat(80)}`)).toEqual([])
  expect(findMedia(`data:text/html;base64,${'A'.repeat(80)}`)).toEqual([])
})

it('text, short values and addresses are no pictures', () => {
  expect(findMedia({ a: 'hello '.repeat(50), b: '/9j/', c: `https://x/${'y'.repeat(90)}.png`, d: 1, e: null })).toEqual([])
})

it('becomes a blob of its type', async () => {
  const [blob = new Blob()] = findMedia(base64([0x89, 'PNG\r\n', 0x1a, '\n'])).map(toBlob)
  expect([blob.type, new Uint8Array(await blob.arrayBuffer())[1]]).toEqual(['image/png', 0x50])
})
