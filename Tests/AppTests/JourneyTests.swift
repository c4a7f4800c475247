import Basics
import Glibc
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

    static var records: Bool { getenv("RECORD") != nil }

    static var names: [String] {
        ((try? Files.list(directory)) ?? []).filter { $0.hasSuffix(".journey") }.sorted()
    }

    @Test("A key script shows what it expects", arguments: JourneyTests.names)
    func journey(_ name: String) throws {
        let path = JourneyTests.directory + "/" + name
        let lines = try Files.readText(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var player = try JourneyPlayer()
        let (output, differences) = try player.play(lines)
        if JourneyTests.records {
            try Files.writeAtomically(output.joined(separator: "\n"), to: path)
        } else {
            #expect(differences.isEmpty, "\(name): \(differences.joined(separator: "\n"))")
        }
    }
}

/// Plays the lines of a script on a harness.
struct JourneyPlayer {
    private let time = ManualTimeSource(DateTime(milliseconds: 1_800_000_000_000), bootID: "boot")
    private var harness: CounterHarness

    init() throws {
        harness = CounterHarness(core: try CounterFloor.store(time: time), time: time)
    }

    mutating func play(_ lines: [String]) throws -> (output: [String], differences: [String]) {
        var output: [String] = []
        var differences: [String] = []
        var index = 0
        while index < lines.count {
            let line = lines[index]
            index += 1
            output.append(line)
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard let word = words.first, !word.hasPrefix("#") else { continue }
            guard word == "expect" else {
                try perform(word, words.count > 1 ? words[1] : "")
                continue
            }
            var wanted: [String] = []
            while index < lines.count, lines[index].hasPrefix("|") {
                wanted.append(lines[index])
                index += 1
            }
            let shown = harness.picture.map { "|\($0)|" }
            output += shown
            if shown != wanted {
                differences.append("line \(index): shown\n\(shown.joined(separator: "\n"))")
            }
        }
        return (output, differences)
    }

    private mutating func perform(_ word: String, _ rest: String) throws {
        switch word {
        case "floor":
            let words = rest.split(separator: " ").map(String.init)
            harness = CounterHarness(
                core: try CounterFloor.store(
                    visibility: words.first.flatMap { Visibility(rawValue: $0) } ?? .BLIND,
                    sharing: words.count > 1 ? Sharing(rawValue: words[1]) ?? .FLOOR : .FLOOR, time: time), time: time)
        case "size": harness.size = try #require(GridSize(rest))
        case "type": harness.type(rest)
        case "scan": harness.scan(rest)
        case "wait": harness.send(.tick)
        case "restart": harness.restart()
        case "disk": harness.failure = rest == "full" ? "database or disk is full" : nil
        case "hold": harness.holdsAnswers = true
        case "release":
            harness.holdsAnswers = false
            harness.release()
        default: Issue.record("unknown word '\(word)'")
        }
    }
}
