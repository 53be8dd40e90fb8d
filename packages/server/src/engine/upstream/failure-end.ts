// What a failure below HTTP is called in the records.

import type { UpstreamFailure } from '../ports.js'
import type { WatchEnd } from './attempt-watch.js'

/** The stable name of a failure below HTTP, as attempts record it. */
export function endOf(failure: UpstreamFailure | WatchEnd, status: number): string {
  switch (failure) {
    case 'broken':
      return status === 0 ? 'connection' : 'broken_stream'
    case 'too-large':
      return 'too_large'
    case 'aborted':
      return 'aborted'
    default:
      return failure
  }
}
