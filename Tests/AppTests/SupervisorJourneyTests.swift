import Basics
import Counting
import Glibc
import Models
import Screens
import System
import Testing
import WarehouseModels

@testable import CountingApp

/// Key scripts of the supervisor with the pictures that must come of them; RECORD=1 writes the pictures anew.
struct SupervisorJourneyTests {
    static let directory =
        String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/SupervisorScripts"

    static var names: [String] {
        ((try? Files.list(directory)) ?? []).filter { $0.hasSuffix(".journey") }.sorted()
    }

    @Test func `there are scripts`() { #expect(SupervisorJourneyTests.names.count >= 12) }

    @Test("A supervisor's key script shows what it expects", arguments: SupervisorJourneyTests.names)
    func journey(_ name: String) throws {
        var player = try SupervisorPlayer()
        try player.check(SupervisorJourneyTests.directory + "/" + name)
    }
}

/// Plays the lines of a supervisor's script.
struct SupervisorPlayer: ScriptPlayer {
    private var harness: SupervisorHarness
    private var passes: [String: String] = [:]

    init() throws { harness = try SupervisorHarness() }

    func pictures(_ rest: String) throws -> [(name: String, lines: [String])] {
        let sizes = rest.isEmpty ? ["80x24"] : rest.split(separator: " ").map(String.init)
        return try sizes.map { size in
            harness.size = try #require(GridSize(size))
            return (size, harness.picture)
        }
    }

    mutating func perform(_ word: String, _ rest: String) throws {
        let words = rest.split(separator: " ").map(String.init)
        var options: [String: String] = [:]
        for word in words where word.contains("=") {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            options[parts[0]] = parts[1]
        }
        switch word {
        case "type": harness.type(rest)
        case "write": harness.write(rest)
        case "wait": harness.pass(seconds: try #require(Int64(rest)))
        case "desk":
            harness.hasDesk = rest == "on"
            harness.settle()
        case "grain": harness = try SupervisorHarness(grain: ExportGrain([.site, .item]))
        case "login": harness = try SupervisorHarness(login: nil)
        case "size": harness.size = try #require(GridSize(rest))
        case "restart": harness.restart()
        case "count":
            let pass = try harness.count(
                words[0], try #require(Decimal3(words[1])), by: words[2], item: options["item"] ?? "filter",
                helps: options["helps"].flatMap { passes[$0] }, companion: options["with"],
                takesOver: options["takes"].flatMap { passes[$0] }, goesOn: options["goes"] != nil,
                label: options["label"],
                closes: options["open"] == nil, without: options["lost"] == nil ? [] : [.TALLY],
                code: options["code"], part: options["part"])
            if let name = options["as"] { passes[name] = pass }
        case "more":
            try harness.enter(try #require(passes[words[0]]), try #require(Decimal3(words[1])), by: words[2])
        case "beat":
            try harness.beat(
                words[0], bin: options["bin"], unsent: Int(options["unsent"] ?? "") ?? 0,
                parked: Int(options["parked"] ?? "") ?? 0, out: options["out"] != nil)
        case "say": try harness.say(words.dropFirst().joined(separator: " "), from: words[0])
        case "erp": try harness.answerERP(refusing: options["refuses"])
        case "link":
            var link = LinkState()
            link.isSyncing = true
            link.isOnline = rest == "up"
            link.lastContactUptime = 0
            if rest == "refused" { link.pausedReason = "the key is not known" }
            harness.send(.link(link))
        default: Issue.record("unknown word '\(word)'")
        }
    }
}
