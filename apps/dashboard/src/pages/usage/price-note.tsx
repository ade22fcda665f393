import { queryOptions, useQuery } from '@tanstack/react-query'
import type { UsageView } from '@runyard/schema/api'
import { client } from '../../api/client.ts'
import { CopyBlock } from '../../ui/copy.tsx'
import styles from './usage-page.module.css'

const pricesQuery = queryOptions({ queryKey: ['prices'], queryFn: () => client.prices() })

/** How to set prices, where none is. */
export function PriceNote({ total, currency }: Pick<UsageView, 'total' | 'currency'>) {
  const { data } = useQuery(pricesQuery)
  const isPriced = data === undefined || data.cpuWorkerPerHour > 0 || Object.values(data.gpuPerHour).some((price) => price > 0)
  if (isPriced || total.cost > 0) return null
  const lines = ['prices:', `  currency: ${currency}`, '  gpuPerHour:', '    NVIDIA GeForce RTX 4090: 0.35', '  cpuWorkerPerHour: 0.02']
  return (
    <details className={styles.note}>
      <summary>No price is set, so nothing costs anything. How to set prices</summary>
      <p>
        Write them in <code>runyard.yaml</code>. The gateway follows the file while it runs, and they hold for the past, too.
      </p>
      <CopyBlock text={lines.join('\n')} label="Prices in runyard.yaml" />
    </details>
  )
}
