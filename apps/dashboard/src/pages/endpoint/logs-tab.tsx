import { LogView } from '../../ui/logs/log-view.tsx'
import { useEndpoint } from './endpoint-context.ts'

export function LogsTab() {
  return <LogView fixed={{ endpoint: useEndpoint().id }} />
}
