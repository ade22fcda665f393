/** The pages of the navigation, in the order in which an operator asks. `g` and then the key of a page goes there. */
export const PAGES = [
  { to: '/', label: 'Yard', key: 'y' },
  { to: '/jobs', label: 'Jobs', key: 'j' },
  { to: '/gpus', label: 'GPUs', key: 'g' },
  { to: '/usage', label: 'Usage', key: 'u' },
  { to: '/failures', label: 'Failures', key: 'f' },
  { to: '/endpoints', label: 'Endpoints', key: 'e' },
  { to: '/logs', label: 'Logs', key: 'l' },
  { to: '/settings', label: 'Settings', key: 's' },
  { to: '/start', label: 'Start', key: 'b' },
] as const
