// The host port in @runyard/schema names this type. Core never sees a signal, and must not get Node's or the DOM's types for its sake.
interface AbortSignal {
  readonly aborted: boolean
}
