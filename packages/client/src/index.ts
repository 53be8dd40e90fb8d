export type { AnswerFacts } from './answer-facts.js'
export type { AnswerStream } from './answer-stream.js'
export { type Client, type ClientOptions, createClient } from './client.js'
export type { Clock } from './clock.js'
export type {
  ChatAnswer,
  ChatChunk,
  ChatRequest,
  ContentBlock,
  EmbeddingsAnswer,
  EmbeddingsRequest,
  MessagesAnswer,
  MessagesEvent,
  MessagesRequest,
  ToolCall,
} from './model-answers.js'
export type { Answer } from './model-calls.js'
export { type BrowserLanguageModelOptions, browserLanguageModel } from './on-device/browser-language-model.js'
export type { DeviceAnswer, OnDeviceCall, OnDeviceOptions, OnDeviceRule } from './on-device/rule.js'
export {
  type DeviceMessage,
  type DeviceRequest,
  type DeviceResult,
  type DeviceRunOptions,
  type OnDeviceRunner,
  type RunFunction,
  fromRunner,
} from './on-device/runner.js'
export { CLIENT_CODES, SpillwayError } from './spillway-error.js'
export type {
  CallOptions,
  Remaining,
  SdkOptions,
  StepReport,
  Task,
  TaskOptions,
  TaskResult,
  TaskWork,
  Verdict,
} from './task.js'
