// The ids of workers are made here: by the scaler for one that is started for an endpoint, by a host for one that stands by.
import { randomBytes } from 'node:crypto'

/** DNS label, lower-case letters and digits (schema `WorkerId`). */
export function newWorkerId(): string {
  return BigInt(`0x${randomBytes(9).toString('hex')}`)
    .toString(36)
    .padStart(14, '0')
}
