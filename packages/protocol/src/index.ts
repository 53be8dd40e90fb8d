export type {
  AnthropicErrorBody,
  DecisionJson,
  ErrorDetail,
  FailedAttempt,
  OpenAiErrorBody,
  RouteFacts,
  SpillwayMember,
  Tier,
} from './answers.js'
export { TIERS } from './answers.js'
export { ERRORS, type ErrorCode, type ErrorEntry, isErrorCode } from './errors.js'
export { PRIORITIES, type Priority, REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.js'
export { NANO_USD_MAX, nanoFromUsd, usdFromNano } from './money.js'
export { didYouMean, nearest } from './nearest.js'
export {
  REQUEST_LIMITS,
  parseAttributes,
  parseOpenTask,
  parseOutcome,
  parsePermit,
  parseSteer,
  parseReportedStep,
} from './parse-requests.js'
export type { Parsed, Problem } from './parsed.js'
export type { DeploymentProbe, ProbeJson, ProviderProbe, RateLimit, ServerLoadJson } from './probe.js'
export type { CriticalityName, PerCriticality, QueueCapacity } from './queue-capacity.js'
export type {
  CapacityJson,
  HedgesJson,
  DeploymentCapacity,
  Interval,
  LimitMoveJson,
  ModelInfo,
  ModelList,
  OwnedJson,
  Percentiles,
  PlaceJson,
  RateBucketJson,
  Report,
  ReportGroupJson,
  ReportGrouping,
  ReportQuery,
  ReportSlo,
} from './report.js'
export { REPORT_GROUPINGS } from './report.js'
export { BREAKER_ACTIONS } from './capacity.js'
export type { BreakerAction, BreakerJson, PinJson, SteerRequest } from './capacity.js'
export type { BurnJson, EventJson, EventsAnswer, ObjectiveJson, SloAnswer, SloJson } from './slo.js'
export type {
  AttemptView,
  ChargeView,
  OutcomeView,
  StepView,
  TaskListPage,
  TaskRowView,
  TaskTraceView,
  TaskView,
  TokensView,
} from './task-views.js'
export type {
  AmountsJson,
  BudgetJson,
  BudgetRequest,
  DeviceEnd,
  JudgedOutcome,
  LimitsJson,
  OnDeviceRoute,
  OpenTaskRequest,
  OpenedTask,
  PermitGiven,
  PermitRequest,
  OutcomeRequest,
  OutcomeStatus,
  ReportedDeviceCall,
  ReportedStep,
  ReportedStepKind,
  StepAccepted,
  TaskBalance,
  TaskListQuery,
  TaskStatus,
} from './tasks.js'
export { DEVICE_ENDS, OUTCOME_STATUSES, REPORTED_STEP_KINDS, TASK_STATUSES } from './tasks.js'
