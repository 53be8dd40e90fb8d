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
export { CLIENT_CODES, SpillwayError } from './spillway-error.js'
export type {
  Remaining,
  SdkOptions,
  StepReport,
  Task,
  TaskOptions,
  TaskResult,
  TaskWork,
  Verdict,
} from './task.js'
