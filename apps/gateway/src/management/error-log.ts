// Where bugs of ours go, of which the caller learns only that something failed, and what operators should know.
export interface ErrorLog {
  error(fields: { err: unknown }, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
}
