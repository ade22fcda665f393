import { useNavigate } from '@tanstack/react-router'
import type { ScalingSettings } from '@runyard/core/preview'
import { ChoiceField, Field } from '../../ui/field.tsx'
import { readPreviewSearch, type PreviewSearch } from './settings-search.ts'
import styles from './preview.module.css'

interface SettingsFormProps {
  readonly tried: ScalingSettings
  readonly search: PreviewSearch
  /** Where the address does not say. */
  readonly usual: { readonly startMs: number; readonly perMinute: number; readonly runMs: number }
  /** Without a history, the jobs are imagined. */
  readonly isImagined: boolean
}

const SCALERS = [
  { value: 'delay', label: 'Queue delay' },
  { value: 'count', label: 'Request count' },
]

export function SettingsForm({ tried, search, usual, isImagined }: SettingsFormProps) {
  const navigate = useNavigate()
  const change = (next: Readonly<Record<keyof PreviewSearch, unknown>> | Partial<Record<keyof PreviewSearch, unknown>>): void =>
    void navigate({
      to: '.',
      replace: true,
      search: ({ range, from, to }) => ({
        ...(range !== undefined && { range }),
        ...(from !== undefined && to !== undefined && { from, to }),
        ...readPreviewSearch({ ...search, ...next }),
      }),
    })
  const number = (name: keyof PreviewSearch) => (text: string) => change({ [name]: text === '' ? undefined : Number(text) })
  const { scaling } = tried
  const isDelay = scaling.type === 'QUEUE_DELAY'
  return (
    <form className={styles.form} aria-label="Settings to try" onSubmit={(event) => event.preventDefault()}>
      <h2>Settings to try</h2>
      <Field label="Active workers" type="number" min={0} value={tried.workersMin} onChange={number('min')} />
      <Field label="Max workers" type="number" min={1} value={tried.workersMax} onChange={number('max')} />
      <Field label="Idle timeout, seconds" type="number" min={1} value={tried.idleTimeoutMs / 1000} onChange={number('idle')} />
      <ChoiceField
        label="Auto scaling type"
        value={isDelay ? 'delay' : 'count'}
        options={SCALERS}
        onChange={(to) => change(to === 'delay' ? { delay: 4, count: undefined } : { count: 1, delay: undefined })}
      />
      {isDelay ? (
        <Field label="Queue delay, seconds" type="number" min={0.5} step={0.5} value={scaling.queueDelay} onChange={number('delay')} />
      ) : (
        <Field label="Requests per worker" type="number" min={1} value={scaling.requestCount} onChange={number('count')} />
      )}
      <Slider label="Cold start" unit="s" min={0.5} max={120} value={search.cold ?? usual.startMs / 1000} onChange={number('cold')} />
      {isImagined && (
        <>
          <Slider label="Arrivals" unit="per minute" min={0.5} max={120} value={search.rate ?? usual.perMinute} onChange={number('rate')} />
          <Slider label="Run time" unit="s" min={0.5} max={120} value={search.run ?? usual.runMs / 1000} onChange={number('run')} />
        </>
      )}
    </form>
  )
}

interface SliderProps {
  readonly label: string
  readonly unit: string
  readonly min: number
  readonly max: number
  readonly value: number
  readonly onChange: (text: string) => void
}

function Slider({ label, unit, value, onChange, ...bounds }: SliderProps) {
  const shown = Math.round(10 * value) / 10
  return (
    <label className={styles.slider}>
      <span>
        {label}: {shown} {unit}
      </span>
      <input type="range" step={0.5} {...bounds} value={shown} onChange={(event) => onChange(event.target.value)} />
    </label>
  )
}
