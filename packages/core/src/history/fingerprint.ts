// What makes two errors the same failure: their text without what differs from job to job. Pure, so that the gateway and the scaler agree; the table
// in the test is its specification.

/** Of the line that stands for an error. */
const HEADLINE_LENGTH = 160
/** The line that says most: the message in what an SDK posts; of a Python traceback the last line, else the first. */
export function headlineOf(error: string): string {
  const lines = messageIn(withoutTimeout(error))
    .split('\n')
    .filter((line) => line.trim() !== '')
  const line = lines[0]?.startsWith('Traceback (most recent call last)') === true ? lines.at(-1) : lines[0]
  return (line ?? '').trim().slice(0, HEADLINE_LENGTH)
}

/**
 * A job whose workers were lost too often did not time out, but its error begins so, because clients know that sentence (client-api §4.4). People read
 * what happened.
 */
export function withoutTimeout(error: string): string {
  return error.replace(/^job timed out after \d+ (?:retry|retries): worker lost/u, 'the worker of the job was lost')
}

/** Runpod's SDKs post a failure as a text that is JSON. */
function messageIn(error: string): string {
  const message = memberOf(error, 'error_message')
  if (!error.startsWith('{') || message === undefined) return error
  const name = /'(?:[\w.]+\.)?(\w+)'/u.exec(memberOf(error, 'error_type') ?? '')?.[1]
  return name === undefined || message.startsWith(name) ? message : `${name}: ${message}`
}

/** Found by a pattern, because an error may have been cut and is then no JSON. */
function memberOf(json: string, name: string): string | undefined {
  const text = new RegExp(`"${name}"\\s*:\\s*"((?:[^"\\\\]|\\\\.)*)`, 'u').exec(json)?.[1]
  return text?.replaceAll(/\\(.)/gu, (_, letter: string) => (letter === 'n' ? '\n' : letter))
}

/** In this order: what is longer or more special comes first. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b(?:sync-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:-u1)?\b/giu, '<id>'],
  [/\b(?:https?|s3|gs):\/\/[^\s'"<>)]+/giu, '<url>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\b/gu, '<time>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/gu, '<address>'],
  [/\b0x[0-9a-f]+\b/giu, '<address>'],
  // Ids of workers, hashes: long words with a digit in them.
  [/\bworker [a-z0-9]{8,32}\b/gu, 'worker <id>'],
  [/\b(?=[0-9a-z]*\d)(?=[0-9a-z]*[a-z])[0-9a-z]{12,}\b/giu, '<id>'],
  [/(?<=\s|^|['"(])(?:\/[\w.@~+-]+){2,}/gu, '<path>'],
  [/'[^'\n]{1,200}'/gu, '<text>'],
  [/"[^"\n]{1,200}"/gu, '<text>'],
  [/\d+(?:[.,]\d+)*/gu, '<n>'],
]

/** The headline of an error with its varying parts replaced, e.g. `CUDA out of memory: <n> GiB`. */
export function normalised(error: string): string {
  let text = headlineOf(error)
  for (const [pattern, replacement] of VARYING) text = text.replaceAll(pattern, replacement)
  return text.replaceAll(/\s+/gu, ' ').trim()
}

/** 12 letters and digits, equal for errors that are the same failure. */
export function fingerprintOf(error: string): string {
  const text = normalised(error)
  return hash(text, 0x81_1c_9d_c5) + hash(text, 0x9e_37_79_b9).slice(0, 5)
}

/** FNV-1a, 32 bits, 7 digits of base 36. No attacker gains by a collision: two failures of one endpoint would share a row. */
function hash(text: string, seed: number): string {
  let value = seed
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01_00_01_93) >>> 0
  return value.toString(36).padStart(7, '0')
}
