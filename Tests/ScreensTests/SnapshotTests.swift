import Foundation
import Screens
import Testing

/// Every shipped screen at each of its sizes, empty, filled, overfull and with an error, against pictures kept in files.
/// `RECORD=1` writes the pictures anew; review them as one reviews code.
@Suite("Pictures of the shipped screens")
struct SnapshotTests {
    enum Case: String, CaseIterable {
        case empty, typical, widest, error
    }

    static let names = Shipped.library.screens.keys.sorted()
    static let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"
    private static let directory = Shipped.tests.appendingPathComponent("Snapshots")

    static func state(_ screen: String, _ kind: Case) -> ScreenState {
        switch kind {
        case .empty: ScreenState()
        case .typical: ScreenState(values: Samples.values(for: screen))
        case .widest: ScreenState(values: Samples.values(for: screen).mapValues(Samples.widened))
        case .error:
            ScreenState(
                values: Samples.values(for: screen), message: ScreenMessage("scan.refused", ["code": "4006381333931"]))
        }
    }

    private func compare(_ grid: CellGrid, _ path: String) throws {
        let url = SnapshotTests.directory.appendingPathComponent(path)
        if SnapshotTests.isRecording {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try grid.picture.write(to: url, atomically: true, encoding: .utf8)
            return
        }
        let kept = (try? String(contentsOf: url, encoding: .utf8)) ?? "(no such picture: record it with RECORD=1)"
        #expect(grid.picture == kept, "\(path)\nis\n\(grid.picture)\nwas\n\(kept)")
    }

    @Test("match in English in each case", arguments: names)
    func matchInEnglish(name: String) throws {
        let screen = try #require(Shipped.library.screens[name])
        for size in screen.sizes {
            for kind in Case.allCases {
                let grid = screen.render(size: size, state: SnapshotTests.state(name, kind), language: "en")
                #expect(grid.size == size)
                try compare(grid, "\(name)/\(size).en.\(kind.rawValue).txt")
            }
        }
    }

    @Test("match in every other language", arguments: names)
    func matchInOtherLanguages(name: String) throws {
        let screen = try #require(Shipped.library.screens[name])
        for language in Shipped.library.languages where language != "en" {
            for size in screen.sizes {
                let grid = screen.render(size: size, state: SnapshotTests.state(name, .typical), language: language)
                try compare(grid, "\(name)/\(size).\(language).typical.txt")
            }
        }
    }

    @Test("leave no picture behind of what is no longer there")
    func leaveNothingBehind() throws {
        var wanted: Set<String> = []
        for (name, screen) in Shipped.library.screens {
            for size in screen.sizes {
                for kind in Case.allCases { wanted.insert("\(name)/\(size).en.\(kind.rawValue).txt") }
                for language in Shipped.library.languages where language != "en" {
                    wanted.insert("\(name)/\(size).\(language).typical.txt")
                }
            }
        }
        let found = FileManager.default.enumerator(atPath: SnapshotTests.directory.path)?.compactMap { $0 as? String }
        let pictures = Set((found ?? []).filter { $0.hasSuffix(".txt") })
        if !SnapshotTests.isRecording { #expect(pictures == wanted) }
    }

    @Test("have a sample for every binding, and no sample without one")
    func haveSamples() {
        let bindings = Shipped.library.vocabulary.bindings
        #expect(Set(Samples.typical.keys).symmetricDifference(bindings.keys).sorted() == [])
        for (path, value) in Samples.typical {
            switch (value, bindings[path]) {
            case (.rows(let list), .list(let columns)?):
                for row in list.rows { #expect(columns.isSuperset(of: row.cells.keys), "\(path)") }
            case (.rows, _), (_, .list?): Issue.record("\(path) is a list on one side only")
            case (.input, .input?), (_, .value?), (_, .strip?): break
            default: Issue.record("\(path) does not suit its fields")
            }
        }
    }
}

extension Samples {
    /// A value as long as anybody may ever make it.
    static func widened(_ value: FieldValue) -> FieldValue {
        switch value {
        case .hidden, .flag: value
        case .text(let variants): .text([long(variants.first ?? ""), long(variants.last ?? "")])
        case .number: .number("123456789012.345")
        case .input: .input("4*123456+789*12+345678901234567890123456789")
        case .big: .big("123456789012.345")
        case .strip: .strip(String(repeating: "#:.!", count: 400))
        case .rows(let list):
            .rows(
                (0..<40).compactMap { index in
                    list.rows.isEmpty
                        ? nil : ListRow(list.rows[index % list.rows.count].cells.mapValues { widened($0) })
                })
        }
    }

    private static func long(_ text: String) -> String {
        text + String(repeating: " Übergröße 北京市朝阳区 123456789", count: 6)
    }
}
