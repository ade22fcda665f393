import styles from './select.module.css'

export interface SelectProps {
  /** Read by screen readers, and shown when the pointer rests on it. */
  readonly label: string
  readonly value: string
  readonly options: readonly { readonly value: string; readonly label: string }[]
  readonly onChange: (value: string) => void
}

/** One of a few words. */
export function Select({ label, value, options, onChange }: SelectProps) {
  return (
    <select className={styles.select} aria-label={label} title={label} value={value} onChange={(event) => onChange(event.target.value)}>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  )
}
