import Basics

/// What one step of a request must learn from a function before it can be carried out.
struct Question: Sendable, Hashable {
    /// What is asked.
    enum Kind: Sendable, Hashable {
        case before, conflict
    }

    let kind: Kind
    /// The answer key of the mutation that asks.
    let key: String
    let function: String
    let payload: [UInt8]
    /// The version of the record that the function sees; 0 where there is none yet. Its answer holds for that alone.
    let version: Int64
}

/// What came of a question.
enum Reply: Sendable, Hashable {
    case answered(JSONValue)
    case failed(FunctionFailure)
    /// The record was changed by others each time the function had decided.
    case changedTooOften(Int)
    /// The request has waited as long as one may.
    case tookTooLong
    /// Too many requests wait for functions.
    case overloaded
}

/// Decides which steps of which requests wait for a function or for one another, and what happens then.
///
/// A step is one mutation or one unit of a request. It waits until its function has answered, then runs again; the
/// answer holds only while the record is as the function saw it, so a step may ask again, a few times. A retry of a
/// mutation that waits joins it instead of asking a second time.
struct WaitingRoom: Sendable {
    struct Step: Hashable, Sendable {
        let ticket: UInt64
        let index: Int
    }

    /// A mutation id with what it belongs to.
    struct MutationKey: Hashable, Sendable {
        let scope: Int64
        let id: String
    }

    enum Event: Sendable {
        /// A step cannot go on without an answer; it carries these mutation ids.
        case asks(Step, Question, Set<MutationKey>)
        /// A step carries a mutation id that another one waits with.
        case joins(Step, MutationKey)
        case answered(call: UInt64, FunctionOutcome)
        /// A step that had asked is carried out or refused, for good.
        case settled(Step)
        /// A request is over without an outcome: it could not be committed.
        case abandoned(ticket: UInt64)
    }

    enum Action: Sendable, Hashable {
        case call(UInt64, Question)
        /// Run the step again with this reply.
        case resume(Step, Question, Reply)
        /// Run the step again: the one that it joined is over, and what was refused there is refused here.
        case release(Step, joined: Step)
    }

    struct Limits: Sendable {
        /// How often one question may be put because the record has changed meanwhile.
        var tries = 5
        /// How long a step may go on asking, in milliseconds: what AppSync allows a request.
        var milliseconds: Int64 = 30_000
        /// How many steps may wait.
        var steps = 4_096
    }

    private struct Waiting {
        let since: Int64
        var keys: Set<MutationKey>
        var tries: [QuestionName: Int] = [:]
        var joined: [Step] = []
    }

    private struct QuestionName: Hashable {
        let kind: Question.Kind
        let key: String
    }

    private let limits: Limits
    private var steps: [Step: Waiting] = [:]
    private var calls: [UInt64: (step: Step, question: Question)] = [:]
    private var owners: [MutationKey: Step] = [:]
    private var joiners: Set<Step> = []
    private var nextCall: UInt64 = 0

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// An empty room that never gives a number which `room` has given: answers may still come for those.
    init(after room: WaitingRoom) {
        limits = room.limits
        nextCall = room.nextCall
    }

    /// Whether nothing waits.
    var isEmpty: Bool { steps.isEmpty && joiners.isEmpty }
    /// How many steps wait.
    var count: Int { steps.count + joiners.count }
    /// The step that waits with a mutation id.
    func owner(of key: MutationKey) -> Step? { owners[key] }

    mutating func handle(_ event: Event, at now: Int64) -> [Action] {
        switch event {
        case .asks(let step, let question, let keys): return ask(step, question, keys, now)
        case .joins(let step, let key):
            guard let owner = owners[key], owner != step else { return [.release(step, joined: step)] }
            steps[owner]?.joined.append(step)
            joiners.insert(step)
            return []
        case .answered(let call, let outcome):
            guard let (step, question) = calls.removeValue(forKey: call), steps[step] != nil else { return [] }
            switch outcome {
            case .success(let json): return [.resume(step, question, .answered(json))]
            case .failure(let failure): return [.resume(step, question, .failed(failure))]
            }
        case .settled(let step): return end(step)
        case .abandoned(let ticket):
            // Among its own steps nobody is left to be released.
            joiners = joiners.filter { $0.ticket != ticket }
            return steps.keys.filter { $0.ticket == ticket }.sorted { $0.index < $1.index }.flatMap { end($0) }
        }
    }

    private mutating func ask(
        _ step: Step, _ question: Question, _ keys: Set<MutationKey>, _ now: Int64
    ) -> [Action] {
        let isNew = steps[step] == nil
        if isNew, steps.count >= limits.steps {
            // It is not kept: the step runs once more, with this reply, and is over.
            return [.resume(step, question, .overloaded)]
        }
        var waiting = steps[step] ?? Waiting(since: now, keys: [])
        for key in keys where owners[key] == nil {
            owners[key] = step
            waiting.keys.insert(key)
        }
        let tries = waiting.tries[QuestionName(kind: question.kind, key: question.key), default: 0]
        waiting.tries[QuestionName(kind: question.kind, key: question.key)] = tries + 1
        steps[step] = waiting
        if tries >= limits.tries { return [.resume(step, question, .changedTooOften(tries))] }
        if now - waiting.since > limits.milliseconds { return [.resume(step, question, .tookTooLong)] }
        nextCall += 1
        calls[nextCall] = (step, question)
        return [.call(nextCall, question)]
    }

    private mutating func end(_ step: Step) -> [Action] {
        guard let waiting = steps.removeValue(forKey: step) else {
            joiners.remove(step)
            return []
        }
        for key in waiting.keys { owners[key] = nil }
        var actions: [Action] = []
        for joiner in waiting.joined where joiners.remove(joiner) != nil {
            actions.append(.release(joiner, joined: step))
        }
        return actions
    }
}
