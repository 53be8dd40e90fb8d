// A call goes out when it is known who sends it: at once where that is known, as it mostly is.

import type { HeaderMap } from './auth/authorizer.js'
import type { HttpCall } from './http-call.js'

/** Does not start a call that has ended meanwhile; without a proof it fails. */
export function sendProven(
  call: HttpCall,
  proof: HeaderMap | Promise<HeaderMap>,
  start: (proof: HeaderMap) => void,
): void {
  if (!(proof instanceof Promise)) return start(proof)
  const startLater = (known: HeaderMap): void => (call.isDone ? undefined : start(known))
  void proof.then(startLater).catch((error: unknown) => call.unproven(error))
}
