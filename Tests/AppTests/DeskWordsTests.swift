import Counting
import Models
import Screens
import Testing
import WarehouseModels

@testable import CountingApp
@testable import InventoryControl

/// What the desk writes is English in the records and in the reader's language on the screens.
struct DeskWordsTests {
    private static func sample(_ name: String) -> String {
        switch name {
        case "state": "stopped"
        case "reason": "blocked: by goods; all of it"
        case "time": "2026-11-21T08:00:00.000Z"
        default: "B-01-\(name.count)"
        }
    }

    @Test(
        "Every text of the desk is in the catalogs, word for word, and comes back filled in",
        arguments: DeskText.allCases)
    func everyText(_ text: DeskText) throws {
        let key = "desk.\(text)"
        #expect(AppScreens.shipped.catalogs["en"]?.texts[key]?.first == text.rawValue)
        let german = try #require(AppScreens.shipped.catalogs["de"]?.texts[key]?.first)
        var (written, wanted) = (text.rawValue, german)
        for name in ["state", "reason", "time"] + DeskWordsTests.names {
            written = written.replacing("{\(name)}", with: DeskWordsTests.sample(name))
            let value = name == "state" ? "angehalten" : DeskWordsTests.sample(name)
            wanted = wanted.replacing("{\(name)}", with: value)
        }
        #expect(!written.contains("{") && !wanted.contains("{"), "a name is missing in the sample")
        #expect(DeskWords.texts(written, language: "de").first == wanted)
        #expect(DeskWords.texts(written, language: "en").first?.isEmpty == false)
    }

    private static let names = [
        "value", "bin", "count", "terminal", "pass", "target", "entry", "who", "name", "decision", "done", "all",
        "ready", "held", "serial", "places", "document",
    ]

    @Test("What the rules of counting say is in the catalogs too")
    func rules() {
        let refusals: [DecisionRefusal] = [
            .changed(shown: 2, now: 3), .approverCounted, .aboveBand, .notPossible(.TO_DECIDE), .nothingCounted,
            .reasonMissing,
        ]
        let guesses: [Guess] = [
            .swappedBins("B-1"), .packFactor(unit: "CS", factor: 12), .transposedDigits, .digitCount,
        ]
        for text in refusals.map(\.description) + guesses.map(\.description) {
            #expect(DeskWords.texts(text, language: "de").first != text, "\(text)")
            #expect(DeskWords.texts(text, language: "en").first?.isEmpty == false)
        }
        #expect(
            DeskWords.texts("not possible while the line is TO_DECIDE", language: "de").first?.contains("TO_") == false)
    }

    @Test("Several texts in one, and one with what it is about, are worded part by part")
    func parts() {
        let text = "2 of 3; B-01-01 4711-AX: a reason is needed"
        #expect(DeskWords.texts(text, language: "de").first == "2 von 3; B-01-01 4711-AX: ein Grund fehlt")
        #expect(DeskWords.texts(text, language: "en").first == text)
    }

    @Test(
        "What nobody knows is shown as it is",
        arguments: ["", "period closed", "Grund: keiner; {x}", "not known, really"])
    func foreign(_ text: String) {
        #expect(DeskWords.texts(text, language: "de").first == text)
    }
}
