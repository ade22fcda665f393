// For tests: names in a Lua text that nothing declares. Lua takes such a name for a global, and Redis refuses it only when the line runs.
const KNOWN = new Set(
  (
    'and break do else elseif end false for function if in local nil not or repeat return then true until while ' +
    'ARGV KEYS redis cjson cmsgpack string table math tonumber tostring ipairs pairs next unpack type error'
  ).split(' '),
)
const STRING = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g
const COMMENT = /--\[\[[\s\S]*?\]\]|--.*/g
const DECLARATION =
  /\blocal\s+(?!function\b)([\w\s,]+)|\blocal\s+function\s+(\w+)\s*\(([^)]*)\)|\bfunction\s*\w*\s*\(([^)]*)\)|\bfor\s+([\w\s,]+?)\s*(?:=|\bin\b)/g

export function undeclaredNames(lua: string): readonly string[] {
  const code = lua.replaceAll(STRING, "''").replaceAll(COMMENT, '')
  const declared = new Set(
    [...code.matchAll(DECLARATION)].flatMap(
      (match) =>
        match
          .slice(1)
          .join(' ')
          .match(/[A-Za-z_]\w*/g) ?? [],
    ),
  )
  const used = [...code.matchAll(/(^|[^.\w]|\.\.)\s*([A-Za-z_]\w*)\b(?!\s*=[^=])/g)].map(([, before = '', name = '']) => ({ before, name }))
  const unknown = used.filter(({ before, name }) => before !== ':' && !declared.has(name) && !KNOWN.has(name)).map(({ name }) => name)
  return [...new Set(unknown)]
}
