/** Where a text stops being JSON, in a sentence. Undefined: it is JSON. */
export function describeJsonError(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const [, position] = /at position (\d+)/u.exec(message) ?? []
    if (position === undefined) return `This is not JSON: ${message}.`
    const before = text.slice(0, Number(position)).split('\n')
    const what = message.replace(/ (?:in JSON )?at position .*/u, '')
    return `Line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${what}.`
  }
}
