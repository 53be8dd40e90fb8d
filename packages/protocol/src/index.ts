export { ERRORS, type ErrorCode, type ErrorEntry, isErrorCode } from './errors.js'
export { PRIORITIES, type Priority, REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.js'
