import { z } from 'zod'

const perHour = z.coerce.number().min(0).max(1_000_000)

/** What an hour costs. A running gateway follows the file (ADR 82). */
export const PricesConfig = z.object({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'three letters, such as EUR')
    .default('USD')
    .describe('currency of the prices, three letters'),
  gpuPerHour: z
    .record(z.string().min(1), perHour)
    .default({})
    .describe('GPU name as nvidia-smi prints it → price of one such GPU for one billed hour; others cost nothing'),
  cpuWorkerPerHour: perHour.default(0).describe('price of one CPU worker for one billed hour'),
})
export type Prices = z.infer<typeof PricesConfig>

export function pricePerHour({ gpuPerHour, cpuWorkerPerHour }: Prices, gpuType: string | null): number {
  return gpuType === null ? cpuWorkerPerHour : Object.hasOwn(gpuPerHour, gpuType) ? (gpuPerHour[gpuType] ?? 0) : 0
}
