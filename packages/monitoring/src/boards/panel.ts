// What a board consists of, as data, and its queries as they run.
export interface PanelSpec {
  readonly title: string
  /** One sentence: what it shows and what to do about it. */
  readonly about: string
  /** In Grafana's words: `s`, `percentunit`, `bytes`. */
  readonly unit: string
  readonly queries: readonly (readonly [expr: string, legend: string])[]
  /** Default: a graph. */
  readonly kind?: 'graph' | 'stat' | 'states'
  /** Of 24 columns; default 8. */
  readonly width?: number
}

export interface BoardSpec {
  readonly uid: string
  readonly title: string
  readonly about: string
  /** A variable of this name, with what lists its values. */
  readonly variable?: { readonly name: string; readonly label: string; readonly query: string }
  readonly rows: readonly (readonly [title: string, panels: readonly PanelSpec[]])[]
}

/** The queries of a board as they run: with its variables filled in. */
export function queriesOf(
  { rows }: BoardSpec,
  values: Readonly<Record<string, string>>,
): readonly (readonly [title: string, expr: string])[] {
  const filled = (expr: string): string => Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr)
  return rows.flatMap(([, panels]) => panels.flatMap(({ title, queries }) => queries.map(([expr]) => [title, filled(expr)] as const)))
}
