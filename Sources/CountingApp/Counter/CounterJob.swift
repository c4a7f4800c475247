import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

/// The counter's work on the store: one act in one transaction.
///
/// Looking a code up and acting on it are one transaction, so that nothing comes between the two.
package struct CounterJob: StoreJob {
    /// What is asked for.
    package let act: CounterAct
    /// Who is signed in.
    package var personID: String?
    /// The line that is open for a quantity.
    package var line: OpenLine?
    /// The walk position that the list of bins starts after.
    package var after: Int?
    /// Whether the list of bins is in front.
    package var isAtList = false
    package init(_ act: CounterAct) { self.act = act }

    package var writes: Bool {
        switch act {
        case .start, .refresh, .refreshBin, .find, .tray, .crew, .messages, .serialCheck, .matches: false
        default: true
        }
    }

    package var identity: String? {
        if case .beat = act { return nil }
        return personID
    }

    package func perform(in transaction: StoreTransaction, _ environment: JobEnvironment) throws -> CounterAnswer {
        var work = CounterWork(tx: transaction, environment: environment, job: self)
        let before = try transaction.currentSequence("entry")
        let outcome: Outcome
        do {
            outcome = try work.perform(act)
        } catch let refusal as Refusal {
            // What was written before a refusal must not stand.
            guard try transaction.currentSequence("entry") == before else { throw JobFailure(refusal.message.id) }
            outcome = .said(refusal.message, .stop)
        }
        var answer = CounterAnswer(outcome: outcome)
        switch act {
        case .saveDraft, .beat, .serialCheck, .matches: return answer
        default: break
        }
        if work.showsFloor { answer.floor = try work.floor() }
        answer.bin = try work.binView()
        answer.knowsBin = true
        return answer
    }
}

/// A refusal that the screen words; thrown before anything was written.
struct Refusal: Error {
    let message: ScreenMessage

    init(_ id: String, _ arguments: [String: String] = [:]) { message = ScreenMessage(id, arguments) }
}

/// One transaction's work: what the job says, over the store.
struct CounterWork {
    let tx: StoreTransaction
    let environment: JobEnvironment
    let job: CounterJob
    /// Whether the answer should say what is around.
    var showsFloor = false
    /// Who is signed in now.
    var personID: String?

    init(tx: StoreTransaction, environment: JobEnvironment, job: CounterJob) {
        self.tx = tx
        self.environment = environment
        self.job = job
        personID = job.personID
    }

    var now: DateTime { environment.time.now() }
    /// The year that the two digits of an expiry date are near.
    var year: Int { Int(now.iso8601.prefix(4)) ?? 2026 }

    mutating func perform(_ act: CounterAct) throws -> Outcome {
        switch act {
        case .start: return try start()
        case .refresh:
            showsFloor = true
            return .none
        case .refreshBin: return .none
        case .signIn(let code): return try signIn(code)
        case .signOut: return try signOut()
        case .submit(let code): return try submit(code)
        case .submitWhileAsked(let code): return try submit(whileAsked: code)
        case .openItem(let reading, let code): return try open(reading, code)
        case .openBin(let request): return try open(request)
        case .openTask(let id, let digits): return try openTask(id, digits)
        case .join(let code, let person): return try join(code, person: person)
        case .companion(let person): return try count(with: person)
        case .tally(let text, let isConfirmed): return try tally(text, isConfirmed)
        case .piece: return try countPiece()
        case .serial(let serial): return try countSerial(serial)
        case .empty(let digits, let scan): return try empty(digits, scan)
        case .skip(let reason): return try skip(reason)
        case .note(let text): return try note(text)
        case .undo: return try undo()
        case .redo: return try redo()
        case .close(let closing): return try close(closing)
        case .reopen: return try reopen()
        case .crew: return .rows(try crewRows())
        case .help(let code): return try help(code)
        case .helpPerson(let person): return try help(person: person)
        case .find(let text): return .rows(try find(text))
        case .tray: return .rows(try tray())
        case .messages: return .rows(try messages())
        case .say(let text, let recipient): return try say(text, to: recipient)
        case .saveDraft(let text):
            try saveDraft(text)
            return .none
        case .share:
            try share()
            return .none
        case .serialCheck(let serial, let item, let pass): return try elsewhere(serial, item, pass)
        case .matches(let known): return try learned(known)
        case .beat(let beat):
            try self.beat(beat)
            return .none
        }
    }

    // MARK: - What the store remembers of this terminal

    /// The pass that this person has open here.
    func openPass() throws -> CountPass? {
        guard let personID, let id = try tx.setting("pass." + personID) else { return nil }
        return try tx.get(CountPass.self, id: id)
    }

    func requirePass() throws -> CountPass {
        guard let pass = try openPass() else { throw Refusal("session.none") }
        return pass
    }

    func requirePerson() throws -> String {
        guard let personID else { throw Refusal("person.unknown", ["text": ""]) }
        return personID
    }

    func remember(pass: CountPass?) throws {
        guard let personID else { return }
        try tx.setSetting("pass." + personID, pass?.id)
    }

    func entries(of passID: String) throws -> [CountEntry] {
        try tx.query(CountEntry.self, where: CountEntry.passID == passID, sort: [.ascending(CountEntry.sequence)])
    }

    /// How many entries a pass has: a number kept with those that this terminal writes, for what was sent of them is not
    /// here always (somebody else was signed in). Of other terminals' passes only what is here is known.
    func entryCount(of pass: CountPass) throws -> Int {
        try max(noted(pass).count, tx.count(CountEntry.self, where: CountEntry.passID == pass.id))
    }

    /// How many entries of a pass of this terminal are at the hub and not here.
    func missing(of pass: CountPass) throws -> Int {
        try max(noted(pass).count - tx.count(CountEntry.self, where: CountEntry.passID == pass.id), 0)
    }

    private func noted(_ pass: CountPass) throws -> NotedEntries {
        NotedEntries(try tx.setting(CounterWork.countKey + pass.id) ?? "")
    }

    /// Takes note of an entry that is written.
    func noteEntry(of pass: CountPass, sequence: Int) throws {
        var noted = try noted(pass)
        noted.add(sequence, count: try entryCount(of: pass) + 1)
        try tx.setSetting(CounterWork.countKey + pass.id, noted.text)
    }

    /// Nothing can be said of what came last while something that was written after an entry is not here: entries that
    /// come back do so in parts.
    func requireAll(since entry: CountEntry, in pass: CountPass) throws {
        let here = try tx.count(
            CountEntry.self, where: CountEntry.passID == pass.id && CountEntry.sequence > entry.sequence)
        if try noted(pass).count(after: entry.sequence) > here { try requireWhole(pass) }
    }

    /// Nothing can be said of a bin of which sent entries are not here.
    func requireWhole(_ pass: CountPass) throws {
        let count = try missing(of: pass)
        if count > 0 { throw Refusal("bin.notHere", ["bin": try code(of: pass), "count": String(count)]) }
    }

    private static let countKey = "entries."

    func name(of personID: String) throws -> String {
        try tx.get(Person.self, id: personID).map { CounterWork.short($0.name) } ?? personID
    }

    /// A person's first name, which is what colleagues call out.
    static func short(_ name: String) -> String { name.split(separator: " ").first.map(String.init) ?? name }
}

/// What a terminal keeps of the entries that it has written in a pass, beside them: how many, and their sequences in runs.
/// A value.
struct NotedEntries {
    private(set) var count = 0
    private var runs: [ClosedRange<Int>] = []

    /// Reads what was kept; nothing where that was nothing.
    init(_ text: String) {
        let words = text.split(separator: " ")
        count = words.first.flatMap { Int($0) } ?? 0
        for word in words.dropFirst() {
            let ends = word.split(separator: "-").compactMap { Int($0) }
            if let first = ends.first, let last = ends.last, first <= last { runs.append(first...last) }
        }
    }

    /// As it is kept.
    var text: String {
        ([String(count)] + runs.map { "\($0.lowerBound)-\($0.upperBound)" }).joined(separator: " ")
    }

    /// Takes note of an entry; `count` are known with it.
    mutating func add(_ sequence: Int, count: Int) {
        self.count = count
        if let last = runs.last, last.upperBound == sequence - 1 {
            runs[runs.count - 1] = last.lowerBound...sequence
        } else {
            runs.append(sequence...sequence)
        }
    }

    /// How many of them were written after one.
    func count(after sequence: Int) -> Int {
        runs.reduce(0) { $0 + max($1.upperBound - max($1.lowerBound - 1, sequence), 0) }
    }
}
