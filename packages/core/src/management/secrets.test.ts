import { expect, test } from 'vitest'
import { editSecret, fillSecrets, secretNamesIn, SECRETS, secretReferenceProblem } from './secrets.ts'

const VALUES = new Map([
  ['token', 'open'],
  ['a.b-c_d', '$& sesame'],
])

test('a reference is replaced wherever it stands, and other text stays as it is', () => {
  const env = { A: 'Bearer {{ RUNPOD_SECRET_token }}', B: '{{RUNPOD_SECRET_token}}{{ RUNPOD_SECRET_a.b-c_d }}', C: '{{ other }}' }
  expect(fillSecrets(env, VALUES)).toEqual({ A: 'Bearer open', B: 'open$& sesame', C: '{{ other }}' })
  expect(secretNamesIn(env)).toEqual(['token', 'a.b-c_d'])
})

test('an unknown secret is an error that names it and its variable, and no value', () => {
  const fill = () => fillSecrets({ A: '{{ RUNPOD_SECRET_token }}', B: '{{ RUNPOD_SECRET_nope }}' }, VALUES)
  expect(fill).toThrow('The secret "nope" that the environment variable "B" names does not exist; `runyard secrets set nope` adds it.')
})

test('variables that grow too large by their secrets are an error without a value in it', () => {
  const many = '{{ RUNPOD_SECRET_x }}'.repeat(3)
  expect(() => fillSecrets({ BIG: many }, new Map([['x', 'v'.repeat(60_000)]]))).toThrow(
    /^With its secrets filled in: There are too many bytes in the environment variable "BIG": \d+ were given, at most 131072 are allowed\.$/u,
  )
})

test.each(['', 'a/b', 'ä'])('a reference to %j is refused, because no secret can have that name', (name) => {
  expect(secretReferenceProblem('A', `{{ RUNPOD_SECRET_${name} }}`)).toMatch(/^The environment variable "A" names the secret /u)
})

test.each([
  [{ name: 'a b', value: 'v' }, 'A secret\'s name has letters, digits, "_", "." and "-" only; "a b" was given.'],
  [{ name: 'a', value: '' }, 'The value of the secret "a" must not be empty.'],
  [{ name: 'a', value: 'x\0y' }, 'The value of the secret "a" contains a NUL character, which no environment variable can hold.'],
  [{ name: 'a', value: 'x'.repeat(70_000) }, 'The value of a secret has at most 65536 characters; that of "a" has 70000.'],
])('a secret that no worker could use is refused: %#', (edit, sentence) => {
  const secret = editSecret(undefined, edit, { ownerId: 'o', now: 1, randomText: () => 'id' })
  expect(() => SECRETS.check(secret)).toThrow(sentence)
})
