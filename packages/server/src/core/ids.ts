// Identifiers. All are time-ordered text (see adapters/system/ids.ts), so the store appends instead of
// inserting in the middle, and "since yesterday" is a range over the primary key.

export type TaskId = string & { readonly __id: 'task' }
export type StepId = string & { readonly __id: 'step' }
export type AttemptId = string & { readonly __id: 'attempt' }
export type HoldId = string & { readonly __id: 'hold' }
export type ReleaseId = string & { readonly __id: 'release' }

export type IdKind = 'task' | 'step' | 'attempt' | 'hold' | 'message'
