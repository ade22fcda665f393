// Times of log lines as clients read them.

/** 1764000000000.5 → 2025-11-24T16:00:00.000500Z. Clients drop lines by comparing these, so whole seconds would lose some (sdk2-api §3.3). */
export function toTimestamp(epochMs: number): string {
  const wholeMs = Math.floor(epochMs)
  const micros = Math.round((epochMs - wholeMs) * 1000)
  return new Date(wholeMs).toISOString().replace('Z', `${String(Math.min(micros, 999)).padStart(3, '0')}Z`)
}
