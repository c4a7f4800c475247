import Basics
import System
import Transport

/// Calls functions away from the hub's own threads and from Swift's pool.
///
/// Each function has its own limits; an answer, or why there is none, comes back exactly once, on some thread.
package final class FunctionRunner: Sendable {
    package typealias Outcome = FunctionOutcome

    /// What a function has done, for `/metrics`.
    package struct Counts: Sendable, Hashable {
        package var calls: UInt64 = 0
        package var failures: UInt64 = 0
        package var milliseconds: Int64 = 0
        package var running = 0
        package var waiting = 0
    }

    private struct Call: Sendable {
        let function: String
        let payload: [UInt8]
        let began: Int64
        let completion: @Sendable (FunctionOutcome) -> Void
        var end: (@Sendable () -> Void)?
    }

    private struct State: Sendable {
        var queues: [String: FunctionQueue]
        var calls: [UInt64: Call] = [:]
        var counts: [String: Counts] = [:]
        var next: UInt64 = 0
        /// Of lines about calls that failed, by function: anybody's requests may make them.
        var lines: [String: LogAllowance] = [:]
    }

    private let functions: [String: FunctionDefinition]
    /// Their names in the order in which they were configured.
    private let order: [String]
    private let endpoints: FunctionEndpoints?
    private let executor = ThreadExecutor(name: "hub-functions")
    private let state: Locked<State>
    private let time: any TimeSource
    private let log: Log

    /// Makes ready to call these functions; nothing is called or connected yet.
    ///
    /// - Throws: ``HubError`` where two have one name; `TransportError` where an endpoint cannot be reached so.
    package init(_ definitions: [FunctionDefinition], time: any TimeSource, log: Log = .none) throws {
        var functions: [String: FunctionDefinition] = [:]
        for definition in definitions {
            guard functions.updateValue(definition, forKey: definition.name) == nil else {
                throw HubError("two functions are called \(definition.name); give each its own name")
            }
        }
        self.functions = functions
        order = definitions.map(\.name)
        endpoints = try FunctionEndpoints(definitions)
        state = Locked(
            State(
                queues: functions.mapValues {
                    FunctionQueue(
                        concurrency: $0.concurrency, waitingLimit: $0.waitingLimit, patience: $0.timeoutMilliseconds)
                }))
        self.time = time
        self.log = log
    }

    /// Whether there is a function of that name.
    package func has(_ name: String) -> Bool { functions[name] != nil }

    /// Calls a function with a JSON text; `completion` gets what it answers, and must not block.
    ///
    /// - Parameter isPreferred: whether it goes before calls that are not, where calls wait.
    package func call(
        _ name: String, _ payload: [UInt8], isPreferred: Bool = false,
        completion: @escaping @Sendable (FunctionOutcome) -> Void
    ) {
        let now = time.uptime()
        let (actions, known) = state.withLock { state -> ([FunctionQueue.Action], Bool) in
            guard functions[name] != nil else { return ([], false) }
            state.next += 1
            state.calls[state.next] = Call(function: name, payload: payload, began: now, completion: completion)
            return (state.queues[name]?.called(state.next, isPreferred: isPreferred, at: now) ?? [], true)
        }
        guard known else { return completion(.failure(.unreachable("there is no function \(name)"))) }
        perform(actions)
    }

    /// What each function has done so far.
    package var counts: [String: Counts] {
        state.withLock { state in
            var counts = functions.mapValues { _ in Counts() }
            for (name, queue) in state.queues {
                counts[name] = state.counts[name] ?? Counts()
                counts[name]?.running = queue.runningCount
                counts[name]?.waiting = queue.waitingCount
            }
            return counts
        }
    }

    /// What each function has done so far, in the order in which they were configured.
    package var countsInOrder: [Counts] {
        let counts = counts
        return order.map { counts[$0] ?? Counts() }
    }

    /// Ends every call with ``FunctionFailure/stopped`` and every program with it. Calls that come later end so at once.
    package func stop() {
        perform(state.withLock { state in state.queues.keys.flatMap { state.queues[$0]?.stop() ?? [] } })
        executor.stop()
        endpoints?.stop()
    }

    private func perform(_ actions: [FunctionQueue.Action]) {
        for action in actions {
            switch action {
            case .start(let call): executor.async { [self] in start(call) }
            case .refuse(let call, let failure): finish(call, .failure(failure))
            }
        }
    }

    private func say(_ failure: FunctionFailure, of function: String, at now: Int64) {
        let suppressed = state.withLock { $0.lines[function, default: LogAllowance(at: now)].take(now) }
        guard let suppressed else { return }
        log(.warning, "the function \(function) \(failure)" + LogAllowance.note(suppressed))
    }

    private func start(_ id: UInt64) {
        guard let call = state.withLock({ $0.calls[id] }), let function = functions[call.function] else { return }
        switch function.target {
        case .program(let command):
            do throws(SystemError) {
                let child = try FunctionProgram.start(command, function, call.payload) { [self] in finish(id, $0) }
                attach(id) { child.end(graceMilliseconds: FunctionProgram.grace) }
            } catch {
                finish(id, .failure(.unreachable(error.description)))
            }
        case .endpoint:
            guard let endpoints else { return finish(id, .failure(.stopped)) }
            let exchange = endpoints.send(call.payload, to: function) { [self] in finish(id, $0) }
            attach(id) { exchange?.cancel() }
        }
    }

    /// Notes how a call is ended; ends it at once where it is over, or the runner was stopped meanwhile.
    private func attach(_ id: UInt64, _ end: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            state.calls[id]?.end = end
            return state.calls[id] == nil
        }
        if isOver { end() }
    }

    private func finish(_ id: UInt64, _ outcome: FunctionOutcome) {
        let now = time.uptime()
        let (ended, actions) = state.withLock { state -> (Call?, [FunctionQueue.Action]) in
            guard let call = state.calls.removeValue(forKey: id) else { return (nil, []) }
            var counts = state.counts[call.function] ?? Counts()
            counts.calls += 1
            if case .failure = outcome { counts.failures += 1 }
            counts.milliseconds += now - call.began
            state.counts[call.function] = counts
            return (call, state.queues[call.function]?.ended(id, at: now) ?? [])
        }
        guard let ended else { return }
        if case .failure(let failure) = outcome, failure != .stopped { say(failure, of: ended.function, at: now) }
        ended.completion(outcome)
        // Answered first: a program that ends at once would say that it took too long.
        if case .failure(.stopped) = outcome { ended.end?() }
        perform(actions)
    }
}
