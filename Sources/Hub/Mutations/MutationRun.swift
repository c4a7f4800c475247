import AppSync

/// A request of mutations while it is carried out: what each of its steps has come to, and what it still waits for.
///
/// Most are done in one go. One that needs a function's answer stays behind when the others commit, and goes on later.
struct MutationRun {
    /// Its rights are those that its sender had when it went on last.
    var request: RunnableRequest
    let roots: [SelectedField]
    /// Those of the roots that are carried out; `__typename` is only answered.
    let mutations: [Int]
    /// Where among the roots the mutation with an answer key is.
    let places: [String: Int]
    /// What it is known by while it waits; 0 until then.
    var ticket: UInt64 = 0
    /// By root; nil where it is not carried out yet.
    var outcomes: [MutationOutcome?]
    /// What functions have decided so far, by answer key.
    var decisions: [String: FieldDecisions] = [:]
    /// Steps that wait for a function, or for another request's step.
    var waiting: Set<Int> = []
    /// What was refused in the steps that this request's steps had joined.
    var inherited: [WaitingRoom.MutationKey: ResponseError] = [:]
    /// What came up in the pass that is under way.
    var asked: [Asked] = []
    var settled: [Int] = []

    enum Asked {
        case question(step: Int, Question, Set<WaitingRoom.MutationKey>)
        case join(step: Int, WaitingRoom.MutationKey)
    }

    init(_ request: RunnableRequest) {
        self.request = request
        let roots = request.operation.roots(request.variables.json)
        self.roots = roots
        mutations = roots.indices.filter { if case .root = roots[$0].definition.source { true } else { false } }
        places = Dictionary(mutations.map { (roots[$0].key, $0) }, uniquingKeysWith: { first, _ in first })
        outcomes = Array(repeating: nil, count: roots.count)
    }

    /// The mutations of a step: itself, or all of its unit where it is the unit's first; nil for the unit's others.
    func members(of index: Int) -> [Int]? {
        guard !request.units.isEmpty, let unit = request.units[roots[index].key] else { return [index] }
        let members = mutations.filter { request.units[roots[$0].key] == unit }
        return members.first == index ? members : nil
    }
}

/// What functions have decided for one mutation.
struct FieldDecisions {
    var before: Decision?
    var conflict: Decision?
    /// The id that the service has made for a record whose create waits.
    var madeID: String?
}

/// A reply with the version that it holds for; nil where it holds for any.
struct Decision {
    let reply: Reply
    let version: Int64?

    /// The reply, if it holds for a record at this version.
    func reply(at version: Int64) -> Reply? {
        self.version == nil || self.version == version ? reply : nil
    }
}

/// Thrown by a mutation that cannot go on without a function's answer; it has written nothing.
struct NeedsFunction: Error {
    let question: Question
    var madeID: String?
}
