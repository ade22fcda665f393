// Lua creates each function again in every run of a script. A submit calls seven of some 70 shared functions, and creating the others took half of
// its time. So a script gets only the shared parts that it uses (ADR 22). A function that rarely runs is marked `-- rare`: parts that only it uses
// move into its body, and are created only when it runs.
//
// A part is a line at the margin with what is indented below it. A part that declares locals is left out where none of their names is used
// further down. Names in texts and comments count as used: at worst the script gets too much.

const DECLARES = /^local (?:function )?(\w+(?:, \w+)*)/
const GOES_ON = /^(?:\s|end\b|[})]|$)/
const RARE = /^local function .* -- rare\n/
const WORD = /[A-Za-z_]\w*/g

/** What `script`, which follows it, uses of `library`. */
export function usedParts(library: string, script: string): string {
  return pick(partsOf(library), script).join('\n')
}

/** The parts that `lua`, which stands below them, needs. */
function pick(parts: readonly string[], lua: string): readonly string[] {
  const wanted = wordsOf(lua)
  const isUsed = (part: string): boolean =>
    DECLARES.exec(part)?.[1]
      ?.split(', ')
      .some((name) => wanted.has(name)) ?? true
  const kept = new Set<string>()
  // A local is used only below its declaration, so one pass upwards finds all.
  for (const part of parts.toReversed()) {
    if (!isUsed(part)) continue
    kept.add(part)
    if (!RARE.test(part)) for (const word of wordsOf(part)) wanted.add(word)
  }
  return parts.flatMap((part, index) => {
    if (!kept.has(part)) return []
    return RARE.test(part)
      ? withOwnParts(
          part,
          parts.slice(0, index).filter((other) => !kept.has(other)),
        )
      : part
  })
}

/** A function with the parts that it alone needs, in its body. */
function withOwnParts(part: string, others: readonly string[]): string {
  const [head = '', ...body] = part.split('\n')
  return [head, ...pick(others, part), ...body].join('\n')
}

function partsOf(lua: string): readonly string[] {
  const parts: string[][] = []
  for (const line of lua.split('\n')) {
    if (line.startsWith('--')) continue
    const last = parts.at(-1)
    if (last !== undefined && GOES_ON.test(line)) last.push(line)
    else parts.push([line])
  }
  return parts.map((lines) => lines.join('\n'))
}

function wordsOf(lua: string): Set<string> {
  return new Set(lua.match(WORD))
}
