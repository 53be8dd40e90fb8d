// Ways to break the server on purpose, each of which some seed must notice: a simulation that cannot fail
// proves nothing. They stand between the engine and the world that watches it.

import { type Amounts, NO_LIMITS, NOTHING } from '../../core/budget/amounts.js'
import type { Capacity } from '../../engine/capacity/capacity.js'
import type { Books, Caller, Ledger, Provider } from '../../engine/ports.js'
import type { Task } from '../../engine/task-registry.js'
import type { Sabotage, World } from './world.js'

/** Every third time: what always goes wrong is found by anybody. */
function everyThird(): () => boolean {
  let count = 0
  return () => ++count % 3 === 0
}

function ledgerThat(change: (ledger: Ledger) => Partial<Ledger>): Sabotage {
  return {
    ledger: (ledger) => ({
      open: (...given) => ledger.open(...given),
      holdFitting: (...given) => ledger.holdFitting(...given),
      settle: (...given) => ledger.settle(...given),
      charge: (...given) => ledger.charge(...given),
      read: (account) => ledger.read(account),
      close: (account) => ledger.close(account),
      ...change(ledger),
    }),
  }
}

function booksThat(change: (books: Books) => Partial<Books>): Sabotage {
  return {
    books: (books) => ({
      get failed() {
        return books.failed
      },
      write: (entry) => books.write(entry),
      durable: () => books.durable(),
      saveContent: (content) => books.saveContent(content),
      close: () => books.close(),
      ...change(books),
    }),
  }
}

function callerThat(change: (caller: Caller) => Partial<Caller>): Sabotage {
  return {
    caller: (caller) => ({
      get gone() {
        return caller.gone
      },
      get begun() {
        return caller.begun
      },
      begin: (...given) => caller.begin(...given),
      write: (chunk) => caller.write(chunk),
      end: (chunk) => caller.end(chunk),
      onDrain: (run) => caller.onDrain(run),
      onGone: (run) => caller.onGone(run),
      ...change(caller),
    }),
  }
}

function capacityThat(change: (capacity: Capacity) => void): Sabotage {
  return { engine: ({ capacity }) => change(capacity) }
}

function tasksThat(change: (task: Task) => void): Sabotage {
  return {
    engine({ tasks }) {
      const add = tasks.add.bind(tasks)
      tasks.add = (task) => {
        change(task)
        add(task)
      }
    },
  }
}

/** The same question once more, when the answer has begun and then broke. */
function sentAgain(provider: Provider, world: World): Provider {
  return {
    name: provider.name,
    simulated: provider.simulated,
    speaks: (...given) => provider.speaks(...given),
    close: () => provider.close(),
    send(request, listener) {
      const again = (detail: string): void => {
        const call = [...world.calls.values()].find(({ caller, isDone }) => caller.begun && !isDone)
        if (call !== undefined && request.stream) provider.send(request, listener)
        else listener.onFailure('broken', detail)
      }
      return provider.send(request, {
        onHead: (...head) => listener.onHead(...head),
        onData: (chunk) => listener.onData(chunk),
        onEnd: () => listener.onEnd(),
        onFailure: (failure, detail) =>
          failure === 'broken' ? again(detail) : listener.onFailure(failure, detail),
      })
    },
  }
}

function neverAborted(provider: Provider): Provider {
  return {
    name: provider.name,
    simulated: provider.simulated,
    speaks: (...given) => provider.speaks(...given),
    close: () => provider.close(),
    send(request, listener) {
      const call = provider.send(request, listener)
      return { abort() {}, pause: () => call.pause(), resume: () => call.resume() }
    },
  }
}

const half = ({ modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd }: Amounts): Amounts => ({
  modelCalls,
  inputTokens,
  outputTokens: Math.floor(outputTokens / 2),
  toolCalls,
  toolMs,
  nanoUsd: Math.floor(nanoUsd / 2),
})

export const SABOTAGES: Readonly<Record<string, () => Sabotage>> = {
  'a ledger that forgets to settle'() {
    const isHit = everyThird()
    return ledgerThat((ledger) => ({
      settle: (id, actual) => (isHit() ? undefined : ledger.settle(id, actual)),
    }))
  },
  'a ledger that settles twice': () =>
    ledgerThat((ledger) => ({
      async settle(id, actual) {
        await ledger.settle(id, actual)
        await ledger.settle(id, actual)
      },
    })),
  'a ledger that books half': () =>
    ledgerThat((ledger) => ({ settle: (id, actual) => ledger.settle(id, half(actual)) })),
  'a ledger that forgets what was reported': () => ledgerThat(() => ({ charge: () => undefined })),
  'a ledger without limits': () =>
    ledgerThat((ledger) => ({ open: (account) => ledger.open(account, NO_LIMITS) })),
  'a hold that is let go before its attempt is over': () =>
    ledgerThat((ledger) => ({
      holdFitting(id, accounts, fit) {
        const held = ledger.holdFitting(id, accounts, fit)
        void Promise.resolve(held).then(() => ledger.settle(id, NOTHING))
        return held
      },
    })),
  'books that lose a charge'() {
    const isHit = everyThird()
    return booksThat((books) => ({
      write(entry) {
        if (entry.kind !== 'hold-settled' || !isHit()) books.write(entry)
      },
    }))
  },
  'books that lose a step'() {
    const isHit = everyThird()
    return booksThat((books) => ({
      write(entry) {
        if (entry.kind !== 'step-ended' || !isHit()) books.write(entry)
      },
    }))
  },
  'books that say durable too early': () => booksThat(() => ({ durable: () => Promise.resolve() })),
  'books without holds': () =>
    booksThat((books) => ({
      write(entry) {
        if (entry.kind !== 'hold-made') books.write(entry)
      },
    })),
  'a place that is not given back'() {
    const isHit = everyThird()
    return capacityThat((capacity) => {
      const end = capacity.end.bind(capacity)
      capacity.end = (place, ...seen) => {
        // What ends it later is told that it is over.
        if (isHit()) place.isOver = true
        else end(place, ...seen)
      }
    })
  },
  'a place that is given back although it was used': () =>
    capacityThat((capacity) => {
      capacity.end = (place) => capacity.giveBack(place)
    }),
  'a place that ends twice': () =>
    capacityThat((capacity) => {
      const end = capacity.end.bind(capacity)
      capacity.end = (place, ...seen) => {
        end({ ...place }, ...seen)
        end(place, ...seen)
      }
    }),
  'a pause that is far too long': () =>
    capacityThat((capacity) => {
      const end = capacity.end.bind(capacity)
      capacity.end = (place, seen, nowMs) =>
        end(place, seen.retryAfterMs === null ? seen : { ...seen, retryAfterMs: 3_600_000 }, nowMs)
    }),
  'an order of the operator that is not kept': () =>
    capacityThat((capacity) => {
      const look = capacity.look.bind(capacity)
      capacity.look = (...given) => {
        const state = look(...given)
        state.breaker.pin = () => undefined
        return state
      }
    }),
  'a queue that is not told of a place that ends': () =>
    capacityThat(({ queues }) => {
      queues.serve = () => undefined
    }),
  'a queue that forgets who waits'() {
    const isHit = everyThird()
    return capacityThat(({ queues }) => {
      const of = queues.of.bind(queues)
      queues.of = (...given) => {
        const queue = of(...given)
        const enter = queue.enter.bind(queue)
        queue.enter = (ask, resolve) => enter(ask, (end) => (isHit() ? undefined : resolve(end)))
        return queue
      }
    })
  },
  'hedges without a budget': () =>
    capacityThat(({ hedging }) => {
      hedging.take = () => null
    }),
  'a tenant who never leaves'() {
    const isHit = everyThird()
    return capacityThat((capacity) => {
      const leave = capacity.leave.bind(capacity)
      capacity.leave = (tenant) => (isHit() ? undefined : leave(tenant))
    })
  },
  'a deadline that is not kept': () =>
    tasksThat((task) => Object.assign(task, { deadlineMs: task.deadlineMs + 60_000 })),
  'attempts that are not counted': () =>
    tasksThat((task) => {
      Object.defineProperty(task, 'attempts', { get: () => 0, set() {} })
    }),
  'a call that is counted as running for ever': () =>
    tasksThat((task) => {
      let running = 0
      const set = (value: number): void => void (running = Math.max(running, value))
      Object.defineProperty(task, 'running', { get: () => running, set })
    }),
  'a retry after the first byte': () => ({ provider: sentAgain }),
  'a provider call that is not closed': () => ({ provider: neverAborted }),
  'a caller who is not told'() {
    const isHit = everyThird()
    return callerThat((caller) => ({ end: (chunk) => (isHit() ? undefined : caller.end(chunk)) }))
  },
  'a caller who is told twice': () =>
    callerThat((caller) => ({
      end(chunk) {
        caller.end(chunk)
        caller.end()
      },
    })),
  'half a stream that looks complete': () =>
    callerThat((caller) => ({ end: (chunk) => caller.end(caller.begun ? undefined : chunk) })),
  'a Retry-After that is no whole number': () =>
    callerThat((caller) => ({
      begin(status, headers) {
        const wait = headers['retry-after']
        caller.begin(status, wait === undefined ? headers : { ...headers, 'retry-after': `${wait}.5` })
      },
    })),
  'a refusal without a code': () =>
    callerThat((caller) => ({
      end: (chunk) =>
        caller.end(
          chunk === undefined
            ? chunk
            : Buffer.from(chunk)
                .toString('utf8')
                .replace(/"code":"/, '"cod":"'),
        ),
    })),
  'a caller who is not seen leaving': () => callerThat(() => ({ gone: false, onGone() {} })),
  'a timer that is left behind': () => ({
    engine: ({ system, tasks }) => {
      const add = tasks.add.bind(tasks)
      tasks.add = (task) => {
        system.after(10_000_000, () => undefined)
        add(task)
      }
    },
  }),
}
