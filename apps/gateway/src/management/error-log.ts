// Where bugs of ours go: whoever asked is told only that something failed.
export interface ErrorLog {
  error(fields: { err: unknown }, message: string): void
}
