export * from './alerts.ts'
export * from './pace.ts'
export * from './recordings.ts'
export * from './rules.ts'
