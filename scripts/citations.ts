// Parses docs/protocol and the citations of it. A protocol file has sections (headings that begin with a number), rows (numbered lists, and
// tables whose first cell is a number) and rules (R1, R2 …). A citation names a file and one or more of these: `client-api §5.5, §13.7`,
// `worker-api §4.3.2` (row 2 of section 4.3), `client-api R3, R17`, `client-api §5.2–§5.5`.

export interface Protocol {
  /** `5.5`, `4.3.2`, `R4`. */
  readonly places: ReadonlySet<string>
  /** Section → its rows in the order of the file. */
  readonly rows: ReadonlyMap<string, readonly number[]>
}

export interface Citation {
  /** In lower case: `client-api`. Empty if the text names none. */
  readonly protocol: string
  /** `13.7` or `R4`. */
  readonly place: string
  readonly line: number
}

const HEADING = /^#{2,4} (\d+(?:\.\d+)*)\.? /
const ROW = /^(?:\| )?(\d+)(?:\.| \|) /
const RULE = /^(?:- |\| )\**(R\d+)\b/
const FENCE = '```'

export function parseProtocol(text: string): Protocol {
  const places = new Set<string>()
  const rows = new Map<string, number[]>()
  let section = ''
  for (const line of withoutFences(text)) {
    section = HEADING.exec(line)?.[1] ?? section
    const row = ROW.exec(line)?.[1]
    if (section !== '') places.add(section)
    if (row !== undefined) {
      places.add(`${section}.${row}`)
      rows.set(section, [...(rows.get(section) ?? []), Number(row)])
    }
    const rule = RULE.exec(line)?.[1]
    if (rule !== undefined) places.add(rule)
  }
  return { places, rows }
}

function withoutFences(text: string): string[] {
  let fenced = false
  return text.split('\n').filter((line) => {
    if (!line.startsWith(FENCE)) return !fenced
    fenced = !fenced
    return false
  })
}

// Names that may precede a section. `design` and `house-style` never exist: they were documents outside of this repository.
const NAME = String.raw`\b([a-z0-9]+-api|management|production|design|house-style|RFC \d+)(?:\.md)?`
// A citation may continue on the next line, after that line's comment marker.
const GAP = String.raw`[\s/*#|]+`
const ONE = String.raw`(?:§\d+(?:\.\d+)*|R\d+\b)`
const LIST = String.raw`${ONE}(?:(?:,${GAP}(?:and )?| and |–|-)(?:${ONE}|(?<=[–-])\d+(?:\.\d+)*))*`
const CITATION = new RegExp(`(?:${NAME}${GAP})?(${LIST})`, 'gi')

/** @param own The protocol of a citation without a name: the file itself in docs/protocol, else undefined, which skips rules without a name. */
export function findCitations(text: string, own?: string): Citation[] {
  return [...text.matchAll(CITATION)].flatMap((match) => {
    const [, name = own ?? '', list = ''] = match
    if (name.startsWith('RFC') || (name === '' && !list.startsWith('§'))) return []
    const line = text.slice(0, match.index).split('\n').length
    const places = list.match(/R\d+|\d+(?:\.\d+)*/g) ?? []
    return places.map((place) => ({ protocol: name.toLowerCase(), place, line }))
  })
}
