export interface ConfigSearch {
  /** Text in the name or the help of a setting. */
  readonly q?: string
  /** Only those that have another value than their default. */
  readonly changed?: true
}

/** Of an address's search parameters. */
export function readConfigSearch({ q, changed }: Readonly<Record<string, unknown>>): ConfigSearch {
  return { ...(typeof q === 'string' && q !== '' && { q }), ...(changed === true && { changed }) }
}
