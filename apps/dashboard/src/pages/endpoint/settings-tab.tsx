import { useEndpoint } from './endpoint-context.ts'
import { DeleteEndpoint } from './settings/delete-endpoint.tsx'
import { SettingsForm } from './settings/settings-form.tsx'
import styles from './workers-tab.module.css'

export function SettingsTab() {
  const endpoint = useEndpoint()
  return (
    <div className={styles.tab}>
      <SettingsForm key={endpoint.id} endpoint={endpoint} />
      <DeleteEndpoint endpoint={endpoint} />
    </div>
  )
}
