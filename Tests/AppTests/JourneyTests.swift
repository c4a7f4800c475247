import Basics
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import System

/// Key scripts with the pictures that must come of them; RECORD=1 writes the pictures anew.
struct JourneyTests {
    static let directory =
        String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/Scripts"

    static var names: [String] {
        ((try? Files.list(directory)) ?? []).filter { $0.hasSuffix(".journey") }.sorted()
    }

    @Test("A key script shows what it expects", arguments: JourneyTests.names)
    func journey(_ name: String) throws {
        var player = try JourneyPlayer()
        try player.check(JourneyTests.directory + "/" + name)
    }
}

/// Plays the lines of a script on one terminal, or on several with stores of their own.
struct JourneyPlayer: ScriptPlayer {
    private let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")
    private var harness: CounterHarness
    private var others: [String: CounterHarness] = [:]
    private var gone: [CountEntry] = []
    private var floor: (visibility: Visibility, sharing: Sharing) = (.BLIND, .FLOOR)

    init() throws {
        harness = CounterHarness(core: try CounterFloor.store(time: time), time: time)
    }

    func pictures(_ rest: String) -> [(name: String, lines: [String])] { [("picture", harness.picture)] }

    mutating func perform(_ word: String, _ rest: String) throws {
        switch word {
        case "floor":
            let words = rest.split(separator: " ").map(String.init)
            floor.visibility = words.first.flatMap { Visibility(rawValue: $0) } ?? .BLIND
            floor.sharing = words.count > 1 ? Sharing(rawValue: words[1]) ?? .FLOOR : .FLOOR
            harness = try terminal("T07")
        case "terminal":
            others[harness.device] = harness
            harness = try others[rest] ?? terminal(rest)
            others[rest] = harness
        case "exchange":
            for other in others.values where other !== harness { try harness.exchange(with: other) }
        case "stock": try CounterFloor.stock(try #require(Int(rest)), in: harness.core)
        case "item":
            let words = rest.split(separator: "=").map { String($0).trimmed }
            try harness.core.write(as: nil) {
                try $0.save(
                    Item(
                        id: words[0], sku: words[0], name: words[1], baseUnit: "EA", decimals: 0, tracking: .NONE,
                        hasExpiry: false, active: true))
            }
        case "session":
            let state = try #require(SessionState(rawValue: rest))
            try harness.core.write(as: nil) { tx in
                let session = try #require(try tx.get(CountSession.self, id: "S1"))
                try tx.save(session.updating { $0.state = state })
            }
            harness.release()
        case "match":
            let words = rest.split(separator: " ").map(String.init)
            let now = time.now()
            try harness.core.write(as: nil) {
                try $0.save(
                    CodeMatch(
                        id: "match-" + words[0], sessionID: "S1", value: words[0], itemID: words[1], unit: "EA",
                        factor: 1, byID: "sue", at: now))
            }
            harness.release()
        case "size": harness.size = try #require(GridSize(rest))
        case "type": harness.type(rest)
        case "scan": harness.scan(rest)
        case "wait":
            time.advance(milliseconds: (Int64(rest) ?? 0) * 1000)
            harness.send(.tick)
        case "restart": harness.restart()
        case "gone": gone = try harness.losesSent()
        case "back": try harness.receive(gone)
        case "disk": harness.failure = rest == "full" ? "database or disk is full" : nil
        case "hold": harness.holdsAnswers = true
        case "release":
            harness.holdsAnswers = false
            harness.release()
        default: Issue.record("unknown word '\(word)'")
        }
    }

    private func terminal(_ code: String) throws -> CounterHarness {
        CounterHarness(
            core: try CounterFloor.store(visibility: floor.visibility, sharing: floor.sharing, time: time), time: time,
            device: code)
    }
}
