// The time as the gateway has it: what is asked for a range that ends now must end there, however wrong the clock of this machine is.

/** Dates of answers are whole seconds, and answers take a while. */
const TRUSTED_MS = 5000

let aheadMs = 0

/** Epoch ms. */
export const gatewayNow = (): number => Date.now() - aheadMs

/** Takes the time from the date of an answer. */
export function noteDate(headers: Headers): void {
  const date = Date.parse(headers.get('date') ?? '')
  const ahead = Date.now() - date
  if (!Number.isNaN(ahead)) aheadMs = Math.abs(ahead) < TRUSTED_MS ? 0 : ahead
}
