import Basics
import Testing

@testable import SyncEngine

@Suite("Backoff")
struct BackoffTests {
    @Test("doubles up to its cap and keeps between half and the whole (D56, D81)")
    func bounds() {
        let random = SeededRandom(seed: 1)
        let backoff = Backoff(base: 500, cap: 30_000)
        for attempt in 1...40 {
            let whole = min(500 << Int64(min(attempt - 1, 20)), 30_000)
            for _ in 0..<50 {
                let delay = backoff.delay(attempt: attempt, random: random)
                #expect(delay >= whole / 2 && delay < whole)
            }
        }
    }

    @Test("spreads those that failed together")
    func spread() {
        let random = SeededRandom(seed: 2)
        let delays = Set((0..<80).map { _ in Backoff.link.delay(attempt: 5, random: random) })
        #expect(delays.count > 60)
    }
}

@Suite("The connection machine")
struct ConnectionMachineTests {
    private func live() -> ConnectionMachine {
        var machine = ConnectionMachine(random: SeededRandom(seed: 1))
        _ = machine.handle(.start)
        _ = machine.handle(.opened(socket: 1))
        _ = machine.handle(.acknowledged(timeout: 60_000, subscriptions: ["1", "2"]))
        _ = machine.handle(.answered(subscription: "1"))
        _ = machine.handle(.answered(subscription: "2"))
        return machine
    }

    @Test("opens, introduces itself, subscribes and is live")
    func path() {
        var machine = ConnectionMachine(random: SeededRandom(seed: 1))
        #expect(machine.handle(.start) == [.open(socket: 1), .setDeadline(15_000)])
        #expect(machine.handle(.opened(socket: 1)) == [.sendInit(socket: 1), .setDeadline(15_000)])
        #expect(
            machine.handle(.acknowledged(timeout: 60_000, subscriptions: ["1", "2"]))
                == [.startSubscriptions(socket: 1), .setDeadline(15_000)])
        #expect(machine.handle(.answered(subscription: "1")) == [])
        #expect(machine.isSubscribing)
        #expect(machine.handle(.answered(subscription: "2")) == [.setDeadline(60_000), .becameLive])
        #expect(machine.isLive)
    }

    @Test("is live at once where nothing is subscribed")
    func nothingToSubscribe() {
        var machine = ConnectionMachine(random: SeededRandom(seed: 1))
        _ = machine.handle(.start)
        _ = machine.handle(.opened(socket: 1))
        #expect(
            machine.handle(.acknowledged(timeout: 5_000, subscriptions: [])) == [.setDeadline(5_000), .becameLive])
    }

    @Test("takes silence longer than the promised sign of life for a loss")
    func silence() {
        var machine = live()
        #expect(machine.handle(.traffic) == [.setDeadline(60_000)])
        let actions = machine.handle(.deadline)
        #expect(actions.contains(.close(socket: 1)))
        #expect(actions.contains(.lost(reason: "nothing was heard for too long")))
        #expect(machine.state == .waiting)
        #expect(machine.handle(.deadline).first == .open(socket: 2))
    }

    @Test("gives up each step after its limit")
    func limits() {
        var machine = ConnectionMachine(random: SeededRandom(seed: 1))
        _ = machine.handle(.start)
        #expect(machine.handle(.deadline).contains(.lost(reason: "no answer to the connection")))
        _ = machine.handle(.deadline)
        _ = machine.handle(.opened(socket: 2))
        #expect(machine.handle(.deadline).contains(.lost(reason: "the connection was not acknowledged")))
        _ = machine.handle(.deadline)
        _ = machine.handle(.opened(socket: 3))
        _ = machine.handle(.acknowledged(timeout: 60_000, subscriptions: ["1"]))
        #expect(machine.handle(.deadline).contains(.lost(reason: "the subscriptions were not answered")))
        #expect(machine.attempt == 3)
    }

    @Test("pauses when it is refused, and asks again only after minutes or when told (D81)")
    func refused() {
        var machine = ConnectionMachine(random: SeededRandom(seed: 1))
        _ = machine.handle(.start)
        _ = machine.handle(.opened(socket: 1))
        let actions = machine.handle(.unauthorized(reason: "bad key"))
        #expect(actions.contains(.close(socket: 1)))
        #expect(actions.contains(.pause(reason: "bad key")))
        guard case .setDeadline(let wait?)? = actions.last else {
            Issue.record("no deadline: \(actions)")
            return
        }
        #expect(wait >= 150_000)
        #expect(machine.handle(.traffic) == [])
        #expect(machine.handle(.reconnect).contains(.open(socket: 2)))
    }

    @Test("hears nothing from sockets that it gave up")
    func lateWords() {
        var machine = live()
        _ = machine.handle(.broken(reason: "x"))
        _ = machine.handle(.deadline)
        #expect(machine.socket == 2)
        #expect(machine.handle(.closed(socket: 1, reason: "late")) == [])
        #expect(machine.handle(.opened(socket: 1)) == [])
        #expect(machine.state == .opening(socket: 2))
    }

    @Test("waits longer after each failure, and starts anew once it has been live for a while (D56)")
    func attempts() {
        var machine = live()
        #expect(machine.attempt == 0)
        for attempt in 1...6 {
            _ = machine.handle(.closed(socket: machine.socket ?? 0, reason: "cut"))
            #expect(machine.attempt == attempt)
            _ = machine.handle(.deadline)
        }
        let socket = machine.socket ?? 0
        _ = machine.handle(.opened(socket: socket))
        _ = machine.handle(.acknowledged(timeout: 60_000, subscriptions: []))
        #expect(machine.isLive && machine.attempt == 6)
        #expect(machine.handle(.steady) == [])
        #expect(machine.attempt == 0)
        _ = machine.handle(.closed(socket: socket, reason: "cut"))
        _ = machine.handle(.steady)
        #expect(machine.attempt == 1, "what is not live is not steady")
    }

    @Test("leaves every state but stopped by its deadline, whatever happened before (D43)", arguments: 0..<200)
    func alwaysLeaves(seed: Int) {
        let random = SeededRandom(seed: UInt64(seed))
        var machine = ConnectionMachine(random: random)
        var deadline: Int64?
        for _ in 0..<60 {
            let socket = machine.socket ?? random.below(5)
            let events: [ConnectionMachine.Event] = [
                .start, .stop, .opened(socket: socket), .acknowledged(timeout: 9_000, subscriptions: ["1", "2"]),
                .answered(subscription: String(random.below(3))), .traffic, .closed(socket: socket, reason: "r"),
                .unauthorized(reason: "u"), .broken(reason: "b"), .deadline, .reconnect,
            ]
            let event = events[random.below(events.count)]
            if event == .deadline { deadline = nil }
            for case .setDeadline(let wait) in machine.handle(event) { deadline = wait }
            #expect((machine.state == .stopped) == (deadline == nil))
        }
        if machine.state != .stopped {
            let before = machine.state
            _ = machine.handle(.deadline)
            #expect(machine.state != before)
        }
    }
}

@Suite("The outbox machine")
struct OutboxMachineTests {
    private func machine(_ batch: Int = 100) -> OutboxMachine {
        OutboxMachine(batchSize: batch, random: SeededRandom(seed: 1))
    }

    @Test("sends at once when idle, and keeps at most two requests under way")
    func latency() {
        var machine = machine()
        #expect(machine.handle(.wake) == [])
        #expect(machine.handle(.start) == [.take(limit: 100)])
        #expect(machine.handle(.empty(retryAfter: nil)) == [.setDeadline(nil)])
        #expect(machine.handle(.wake) == [.take(limit: 100)])
        #expect(machine.handle(.took(request: 1, count: 1)) == [.take(limit: 100)])
        #expect(machine.handle(.took(request: 2, count: 100)) == [])
        #expect(machine.handle(.wake) == [])
        #expect(machine.handle(.settled(request: 1)) == [.take(limit: 100)])
    }

    @Test("waits after a failure until its deadline or until the link is heard of")
    func backoff() {
        var machine = machine()
        _ = machine.handle(.start)
        _ = machine.handle(.took(request: 1, count: 1))
        guard case .setDeadline(let wait?)? = machine.handle(.failed(request: 1, retryAfter: nil)).first else {
            Issue.record("no deadline")
            return
        }
        #expect(wait >= 250 && wait < 500)
        #expect(machine.handle(.wake) == [])
        #expect(machine.handle(.linkUp) == [.take(limit: 100)])
        #expect(machine.handle(.linkUp) == [])
        _ = machine.handle(.took(request: 2, count: 1))
        #expect(machine.handle(.failed(request: 2, retryAfter: 7_000)) == [.setDeadline(7_000)])
        #expect(machine.handle(.deadline) == [.take(limit: 100)])
    }

    @Test("sends the entries of an indigestible request one by one, then batches again")
    func bisects() {
        var machine = machine()
        _ = machine.handle(.start)
        _ = machine.handle(.took(request: 1, count: 3))
        #expect(machine.handle(.indigestible(request: 1, count: 3)) == [.take(limit: 1)])
        #expect(machine.handle(.took(request: 2, count: 1)) == [.take(limit: 1)])
        #expect(machine.handle(.took(request: 3, count: 1)) == [])
        #expect(machine.handle(.settled(request: 2)) == [.take(limit: 1)])
        #expect(machine.handle(.took(request: 4, count: 1)) == [])
        #expect(machine.handle(.settled(request: 3)) == [.take(limit: 100)])
    }

    @Test("pauses on refused credentials until others come (D77)")
    func paused() {
        var machine = machine()
        _ = machine.handle(.start)
        _ = machine.handle(.took(request: 1, count: 1))
        let actions = machine.handle(.unauthorized(request: 1, reason: "key"))
        #expect(actions.first == .pause(reason: "key"))
        #expect(machine.handle(.wake) == [])
        #expect(machine.handle(.linkUp) == [])
        #expect(machine.handle(.credentialsChanged) == [.take(limit: 100)])
    }

    @Test("waits exactly as long as the store says")
    func retryAfter() {
        var machine = machine()
        _ = machine.handle(.start)
        #expect(machine.handle(.empty(retryAfter: 1_234)) == [.setDeadline(1_234)])
        #expect(machine.handle(.deadline) == [.take(limit: 100)])
    }

    @Test("sends what waits, from every state, once the link is up and time passes (D55)", arguments: 0..<200)
    func alwaysDrains(seed: Int) {
        let random = SeededRandom(seed: UInt64(seed))
        var machine = OutboxMachine(batchSize: 2, random: random)
        var waiting = 20
        var request = 0
        var taken: [Int: Int] = [:]
        var deadline: Int64?
        func run(_ actions: [OutboxMachine.Action]) {
            for action in actions {
                switch action {
                case .take(let limit):
                    if waiting == 0 {
                        run(machine.handle(.empty(retryAfter: nil)))
                    } else {
                        let count = min(limit, waiting)
                        waiting -= count
                        request += 1
                        taken[request] = count
                        run(machine.handle(.took(request: request, count: count)))
                    }
                case .setDeadline(let wait): deadline = wait
                case .pause: break
                }
            }
        }
        run(machine.handle(.start))
        for _ in 0..<40 {
            let id = taken.keys.sorted().first ?? 0
            let count = taken.removeValue(forKey: id) ?? 0
            switch random.below(5) {
            case 0: run(machine.handle(.settled(request: id)))
            case 1:
                waiting += count
                run(machine.handle(.failed(request: id, retryAfter: nil)))
            case 2:
                waiting += count
                run(machine.handle(.indigestible(request: id, count: count)))
            case 3:
                waiting += count
                run(machine.handle(.unauthorized(request: id, reason: "u")))
            default:
                if count > 0 { taken[id] = count }
                deadline = nil
                run(machine.handle(.deadline))
            }
        }
        for _ in 0..<200 {
            if let id = taken.keys.sorted().first {
                taken[id] = nil
                run(machine.handle(.settled(request: id)))
            } else if deadline != nil {
                deadline = nil
                run(machine.handle(.deadline))
            }
        }
        #expect(waiting == 0)
        #expect(taken.isEmpty)
    }
}

@Suite("The pull machine")
struct PullMachineTests {
    private func machine(window: Int = 2) -> PullMachine {
        var machine = PullMachine(window: window, interval: 60_000, random: SeededRandom(seed: 1))
        _ = machine.handle(.start)
        return machine
    }

    @Test("fetches models in order, some at a time, page by page (D66)")
    func round() {
        var machine = machine()
        #expect(
            machine.handle(.round(["A", "B", "C"]))
                == [.setDeadline(nil), .request(model: "A"), .request(model: "B")])
        _ = machine.handle(.requested(request: 1, model: "A"))
        _ = machine.handle(.requested(request: 2, model: "B"))
        #expect(machine.isPending("A") && machine.isPending("C"))
        #expect(machine.handle(.page(request: 1, isLast: false)) == [.request(model: "A")])
        _ = machine.handle(.requested(request: 3, model: "A"))
        #expect(machine.handle(.page(request: 3, isLast: true)) == [.finished(model: "A"), .request(model: "C")])
        #expect(!machine.isPending("A"))
        _ = machine.handle(.requested(request: 4, model: "C"))
        #expect(machine.handle(.page(request: 2, isLast: true)) == [.finished(model: "B")])
        #expect(
            machine.handle(.page(request: 4, isLast: true))
                == [.finished(model: "C"), .roundFinished, .setDeadline(60_000)])
        #expect(machine.handle(.deadline) == [.startRound])
    }

    @Test("fetches a model once more where a new round began meanwhile, and calls it complete only then")
    func again() {
        var machine = machine()
        _ = machine.handle(.round(["A"]))
        _ = machine.handle(.requested(request: 1, model: "A"))
        #expect(machine.handle(.round(["A"])) == [.setDeadline(nil)])
        #expect(machine.handle(.page(request: 1, isLast: true)) == [.request(model: "A")])
        _ = machine.handle(.requested(request: 2, model: "A"))
        #expect(machine.handle(.page(request: 2, isLast: true)).first == .finished(model: "A"))
    }

    @Test("goes on with what failed when the link is heard of")
    func failure() {
        var machine = machine(window: 1)
        _ = machine.handle(.round(["A", "B"]))
        _ = machine.handle(.requested(request: 1, model: "A"))
        _ = machine.handle(.failed(request: 1, retryAfter: nil))
        #expect(machine.state == .waiting)
        #expect(machine.isPending("A"))
        #expect(machine.handle(.linkUp) == [.setDeadline(nil), .request(model: "A")])
    }

    @Test("leaves out a model that cannot be fetched (D66)")
    func skipped() {
        var machine = machine(window: 1)
        _ = machine.handle(.round(["A", "B"]))
        _ = machine.handle(.requested(request: 1, model: "A"))
        #expect(machine.handle(.skipped(request: 1)) == [.request(model: "B")])
        #expect(!machine.isPending("A"))
    }

    @Test("hears nothing about requests that it does not know")
    func late() {
        var machine = machine()
        #expect(machine.handle(.page(request: 9, isLast: true)) == [])
        #expect(machine.handle(.failed(request: 9, retryAfter: nil)) == [])
        #expect(machine.state == .idle)
    }

    @Test("ends every round, from every state, once the link is up and time passes", arguments: 0..<200)
    func alwaysEnds(seed: Int) {
        let random = SeededRandom(seed: UInt64(seed))
        var machine = PullMachine(window: 2, interval: 60_000, random: random)
        var request = 0
        var active: [Int: String] = [:]
        var finished: [String] = []
        var deadline: Int64?
        func run(_ actions: [PullMachine.Action]) {
            for action in actions {
                switch action {
                case .request(let model):
                    request += 1
                    active[request] = model
                    #expect(active.values.filter { $0 == model }.count == 1, "asked twice at a time")
                    run(machine.handle(.requested(request: request, model: model)))
                case .finished(let model): finished.append(model)
                case .startRound: run(machine.handle(.round(["A", "B", "C", "D"])))
                case .roundFinished, .pause: break
                case .setDeadline(let wait): deadline = wait
                }
            }
        }
        run(machine.handle(.start))
        for _ in 0..<60 {
            let id = active.keys.sorted().randomElement(using: random) ?? 0
            switch random.below(8) {
            case 0: run(machine.handle(.round(["A", "B", "C", "D"])))
            case 1, 2:
                active[id] = nil
                run(machine.handle(.page(request: id, isLast: random.below(2) == 0)))
            case 3:
                active[id] = nil
                run(machine.handle(.failed(request: id, retryAfter: nil)))
            case 4:
                active[id] = nil
                run(machine.handle(.skipped(request: id)))
            case 5:
                active[id] = nil
                run(machine.handle(.unauthorized(request: id, reason: "u")))
            case 6: run(machine.handle(.linkUp))
            default:
                deadline = nil
                run(machine.handle(.deadline))
            }
            #expect(machine.state == .pulling || deadline != nil || !active.isEmpty)
        }
        finished = []
        run(machine.handle(.credentialsChanged))
        run(machine.handle(.round(["A", "B", "C", "D"])))
        for _ in 0..<200 where machine.state != .idle {
            if let id = active.keys.sorted().first {
                active[id] = nil
                run(machine.handle(.page(request: id, isLast: true)))
            } else {
                run(machine.handle(.deadline))
            }
        }
        #expect(machine.state == .idle)
        #expect(Set(finished) == ["A", "B", "C", "D"])
        #expect(machine.pendingCount == 0)
    }
}

extension Array {
    fileprivate func randomElement(using random: SeededRandom) -> Element? {
        isEmpty ? nil : self[random.below(count)]
    }
}
