// Kinds of values that many settings have. Durations have upper limits: a timer of Node fires at once beyond 24 days.
import { z } from 'zod'

const DAY_S = 24 * 3600
export const YEAR_S = 365 * DAY_S

/** A text. An empty one would be a directory, an address or a name by mistake. */
export const text = () => z.string().min(1)
/** Seconds that something may take or wait. */
export const waitS = (least = 1) => z.coerce.number().min(least).max(DAY_S)
/** Seconds that something is kept. */
export const keepS = (least = 1) => z.coerce.number().min(least).max(YEAR_S)
/** Days that something is kept. */
export const keepDays = (least: number) => z.coerce.number().min(least).max(3650)
