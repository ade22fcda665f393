// The host port in @runyard/schema refers to this type. Core never uses a signal; declaring the type here keeps Node's and the DOM's types
// out of core.
interface AbortSignal {
  readonly aborted: boolean
}
