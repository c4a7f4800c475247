import Basics
import Counting
import Crypto
import Models
import Screens
import Terminal
import WarehouseModels

@testable import CountingApp
@testable import DataStore

/// The counter's app on a store in memory, without a shell: jobs are performed at once, or held back to type ahead.
final class CounterHarness {
    let core: StoreCore
    let time: ManualTimeSource
    let device: String
    private(set) var app: CounterApp
    private(set) var sounds: [Sound] = []
    private(set) var persons: [String?] = []
    private(set) var hasQuit = false
    /// Answers wait until ``release()``.
    var holdsAnswers = false
    /// What every writing job fails with.
    var failure: String?
    /// What every reading job fails with.
    var readingFailure: String?
    var size = GridSize(20, 16) { didSet { send(.resized(size)) } }
    private var answers: [(Int, Result<CounterAnswer, JobFailure>)] = []
    private var changed: Set<String> = []

    private let answerDelay: Int64

    init(core: StoreCore, time: ManualTimeSource, device: String = "T07", answerDelay: Int64 = 0) {
        self.core = core
        self.time = time
        self.device = device
        self.answerDelay = answerDelay
        app = CounterApp(deviceCode: device, answerDelay: answerDelay)
        _ = core.addObserver { [weak self] committed in
            self?.changed.formUnion(committed.changes.map(\.model))
        }
        send(.started)
    }

    /// Somebody who has just signed in at a terminal with a store of its own.
    static func signedIn(
        _ login: String = "ann", at device: String = "T07", visibility: Visibility = .BLIND,
        sharing: Sharing = .FLOOR, state: SessionState = .counting, answerDelay: Int64 = 0, time: ManualTimeSource
    ) throws -> CounterHarness {
        let core = try CounterFloor.store(visibility: visibility, sharing: sharing, state: state, time: time)
        let harness = CounterHarness(core: core, time: time, device: device, answerDelay: answerDelay)
        harness.type("\(login) Enter")
        return harness
    }

    /// The machine ends without a word, as with a battery taken out, and starts again on the same store.
    ///
    /// - Parameter early: what is typed at the first picture, before the machine was told to start
    func restart(typing early: String = "") {
        answers = []
        app = CounterApp(deviceCode: device, answerDelay: answerDelay)
        send(.resized(size))
        type(early)
        send(.started)
    }

    func send(_ event: AppEvent<CounterAnswer>) {
        for effect in app.handle(event, at: Moment(time)) {
            switch effect {
            case .perform(let number, let job): answers.append((number, perform(job)))
            case .sound(let sound): sounds.append(sound)
            case .personChanged(let person): persons.append(person)
            case .quit: hasQuit = true
            }
        }
        if !holdsAnswers { release() }
    }

    /// Hands over the answers to what was asked for, in order, and what that brings with it.
    func release() {
        while !answers.isEmpty {
            let (number, answer) = answers.removeFirst()
            send(.answered(job: number, answer))
        }
        if !changed.isEmpty { send(.changed(models: takeChanged())) }
    }

    /// The models that changed since they were last told to the machine.
    func takeChanged() -> Set<String> {
        defer { changed = [] }
        return changed
    }

    private func perform(_ job: CounterJob) -> Result<CounterAnswer, JobFailure> {
        let environment = JobEnvironment(
            time: time, random: SeededRandom(seed: 1), deviceCode: device, clockOffsetMilliseconds: 250,
            sha256: { SHA256.hexDigest($0) })
        time.advance(milliseconds: 10)
        do {
            guard job.writes else {
                if let readingFailure { throw JobFailure(readingFailure) }
                return .success(try core.read { try job.perform(in: $0, environment) })
            }
            return .success(
                try core.write(as: job.identity) { tx in
                    let answer = try job.perform(in: tx, environment)
                    // The disk says so at the commit, when all was written already.
                    if let failure { throw JobFailure(failure) }
                    return answer
                })
        } catch let failure as JobFailure {
            return .failure(failure)
        } catch {
            return .failure(JobFailure("\(error)"))
        }
    }

    func type(_ keys: String) {
        for name in keys.split(separator: " ") {
            if let key = Key(name: name) {
                send(.input(.key(key)))
            } else {
                for character in name { send(.input(.key(.character(character)))) }
            }
        }
    }

    func scan(_ text: String) { send(.input(.scan(Scan(text), retracting: 0))) }

    var picture: [String] {
        let view = app.view(at: Moment(time))
        return AppScreens.shipped.render(view.screen, size: size, state: view.state, language: app.language).rows
    }

    /// What a hub would have brought to both terminals by now: passes and messages, and of the entries those that the
    /// other's person may read.
    func exchange(with other: CounterHarness) throws {
        try other.receive(from: self)
        try receive(from: other)
        for harness in [self, other] {
            // A join is answered by a share, and that is sent too.
            harness.send(.tick)
            harness.release()
        }
        try other.receive(from: self)
        try receive(from: other)
    }

    private func receive(from other: CounterHarness) throws {
        let (passes, entries, messages) = (other.passes, other.entries, other.all(Message.self))
        let me = app.personID ?? ""
        try core.write(as: nil) { tx in
            for pass in passes where try tx.get(CountPass.self, id: pass.id) == nil { try tx.save(pass) }
            for entry in entries where !entry.audience.isEmpty || entry.crewIDs.contains(me) {
                if try tx.get(CountEntry.self, id: entry.id) == nil { try tx.save(entry) }
            }
            for message in messages where !message.audience.isEmpty || message.toIDs.contains(me) {
                if try tx.get(Message.self, id: message.id) == nil { try tx.save(message) }
            }
        }
        release()
    }

    /// The store lets go of all entries, as of what is sent where somebody else signs in who may not read it; gives them.
    func losesSent() throws -> [CountEntry] {
        let all = entries
        try core.connection.execute("DELETE FROM \"CountEntry\"")
        changed.insert("CountEntry")
        release()
        send(.tick)
        return all
    }

    /// The hub brings entries.
    func receive(_ entries: [CountEntry]) throws {
        try core.write(as: nil) { tx in for entry in entries { try tx.save(entry) } }
        release()
        send(.tick)
    }

    // MARK: - What the store holds

    func all<M: Model>(_ type: M.Type) -> [M] { (try? core.read { try $0.query(M.self) }) ?? [] }
    var passes: [CountPass] { all(CountPass.self).sorted { $0.id < $1.id } }
    var entries: [CountEntry] { all(CountEntry.self).sorted { $0.sequence < $1.sequence } }
    var kinds: [EntryKind] { entries.map(\.kind) }
}
