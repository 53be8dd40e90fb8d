// What happens to the service as a whole, and operators look up afterwards.

/** `slo-alert`: an objective is missed too fast, or not any more. */
export const EVENTS = ['slo-alert', 'breaker', 'overload'] as const
export type EventName = (typeof EVENTS)[number]
