// Most ports answer at once when what they stand for is in this process, and with a promise when it is not.

/** Goes on at once where it can: a promise on the way of every call costs it memory while it waits. */
export function whenDone<T, Next>(
  value: T | Promise<T>,
  goOn: (value: T) => Next | Promise<Next>,
): Next | Promise<Next> {
  return value instanceof Promise ? value.then(goOn) : goOn(value)
}
