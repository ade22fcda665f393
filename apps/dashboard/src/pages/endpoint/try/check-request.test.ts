import { expect, it } from 'vitest'
import { checkRequest } from './check-request.ts'

it('a request with an input can be sent, a chat with messages, too', () => {
  expect(checkRequest('{"input": {"a": 1}}', 'sync')).toBeUndefined()
  expect(checkRequest('{"input": 0}', 'async')).toBeUndefined()
  expect(checkRequest('{"model": "m", "messages": []}', 'chat')).toBeUndefined()
})

it('an error of JSON has its line and column', () => {
  expect(checkRequest('{\n  "input": {\n    "a": 1,\n  }\n}', 'sync')).toMatchObject({
    message: expect.stringMatching(/^Line 4, column 3: /u),
    position: 29,
  })
  expect(checkRequest('{"input": ', 'sync')).toMatchObject({ message: expect.stringMatching(/^Line 1, column 11: /u), position: 10 })
  expect(checkRequest('', 'sync')).toMatchObject({ message: expect.stringMatching(/^Line 1, column 1: /u) })
})

it('what the gateway would refuse is refused before it is sent', () => {
  expect(checkRequest('[1]', 'sync')?.message).toBe('The request must be an object: {…}.')
  expect(checkRequest('{"prompt": "x"}', 'stream')?.message).toMatch(/needs an "input"/u)
  expect(checkRequest('{"input": null}', 'stream')?.message).toMatch(/needs an "input"/u)
  expect(checkRequest('{"input": {}}', 'chat')?.message).toMatch(/"messages"/u)
})
