// A request by hand: written here, checked before it is sent, followed while it runs.
import { useId, useRef, useState } from 'react'
import { API_URL } from '../../../api/client.ts'
import { Button } from '../../../ui/button.tsx'
import { CopyBlock } from '../../../ui/copy.tsx'
import { Select } from '../../../ui/select.tsx'
import { CallView } from './call-view.tsx'
import { checkRequest, type RequestFault } from './check-request.ts'
import { readInputs, type KeptInput } from './kept-inputs.ts'
import { modeOf, MODES, type ModeName } from './modes.ts'
import { snippetsOf } from './snippets.ts'
import { useCall } from './use-call.ts'
import styles from './try-it.module.css'

export function TryIt({ endpointId }: { readonly endpointId: string }) {
  const [last] = readInputs(endpointId)
  const [mode, setMode] = useState<ModeName>(last?.mode ?? 'sync')
  const [text, setText] = useState(last?.text ?? modeOf(mode).example)
  const call = useCall(endpointId)
  const fault = checkRequest(text, mode)
  const choose = (next: ModeName): void => {
    // What was not edited is replaced by the example of the mode.
    if (text === modeOf(mode).example) setText(modeOf(next).example)
    setMode(next)
  }
  return (
    <div className={styles.try}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (fault === undefined) call.send(mode, text)
        }}
      >
        <Modes mode={mode} onChange={choose} />
        <Editor text={text} fault={fault} onChange={setText} />
        <div className={styles.actions}>
          <Button type="submit" kind="primary" disabled={fault !== undefined || call.isRunning}>
            Run
          </Button>
          {call.isRunning && <Button onClick={() => call.cancel()}>Cancel</Button>}
          <LastInputs
            endpointId={endpointId}
            onChoose={(kept) => {
              setMode(kept.mode)
              setText(kept.text)
            }}
          />
        </div>
        {fault === undefined && <CopyAs endpointId={endpointId} mode={mode} text={text} />}
      </form>
      <div className={styles.result} aria-live="polite">
        {call.state ? <CallView state={call.state} /> : <p className={styles.muted}>The answer appears here.</p>}
      </div>
    </div>
  )
}

function Modes({ mode, onChange }: { readonly mode: ModeName; readonly onChange: (mode: ModeName) => void }) {
  return (
    <fieldset className={styles.modes}>
      <legend className="visually-hidden">How it is sent</legend>
      {MODES.map(({ name, label }) => (
        <label key={name}>
          <input type="radio" name="mode" value={name} checked={name === mode} onChange={() => onChange(name)} /> {label}
        </label>
      ))}
      <p className={styles.muted}>{modeOf(mode).help}</p>
    </fieldset>
  )
}

interface EditorProps {
  readonly text: string
  readonly fault: RequestFault | undefined
  readonly onChange: (text: string) => void
}

function Editor({ text, fault, onChange }: EditorProps) {
  const id = useId()
  const area = useRef<HTMLTextAreaElement>(null)
  const goTo = (position: number): void => {
    area.current?.focus()
    area.current?.setSelectionRange(position, Math.min(position + 1, text.length))
  }
  return (
    <div className={styles.editor}>
      <label htmlFor={id}>Request, as JSON</label>
      <textarea
        id={id}
        ref={area}
        rows={Math.min(24, Math.max(10, text.split('\n').length + 1))}
        spellCheck={false}
        value={text}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-fault`}
        onChange={(event) => onChange(event.target.value)}
      />
      <p id={`${id}-fault`} role="status" className={styles.fault}>
        {fault && `✕ ${fault.message} `}
        {fault?.position !== undefined && <Button onClick={() => goTo(fault.position ?? 0)}>Go there</Button>}
      </p>
    </div>
  )
}

interface LastInputsProps {
  readonly endpointId: string
  readonly onChoose: (kept: KeptInput) => void
}

function LastInputs({ endpointId, onChoose }: LastInputsProps) {
  const kept = readInputs(endpointId)
  if (kept.length === 0) return null
  const options = kept.map(({ mode, text }, index) => ({
    value: `${index}`,
    label: `${mode}: ${text.replaceAll(/\s+/gu, ' ').slice(0, 60)}`,
  }))
  return (
    <Select
      label="Last requests from this browser"
      value=""
      options={[{ value: '', label: 'last requests…' }, ...options]}
      onChange={(index) => {
        const chosen = kept[Number(index)]
        if (index !== '' && chosen !== undefined) onChoose(chosen)
      }}
    />
  )
}

function CopyAs({ endpointId, mode, text }: { readonly endpointId: string; readonly mode: ModeName; readonly text: string }) {
  return (
    <details className={styles.copy}>
      <summary>Copy as</summary>
      {snippetsOf({ url: API_URL, endpointId, mode, text }).map((snippet) => (
        <section key={snippet.name}>
          <h3>{snippet.name}</h3>
          <CopyBlock text={snippet.text} label={`The call by ${snippet.name}`} />
        </section>
      ))}
    </details>
  )
}
