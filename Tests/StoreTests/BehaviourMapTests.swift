import NamedTests
import System
import Testing

/// Checks that each test which a page names is there.
func checkTests(in page: String, root: String) throws {
    let tests = NamedTests(in: page, root: root)
    #expect(tests.count > 10)
    #expect(tests.missing == [])
}

@Suite("The map of behaviours")
struct BehaviourMapTests {
    private func page() throws -> (text: String, root: String) {
        let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return (try Files.readText(folder + "/BEHAVIOURS.md"), folder + "/../..")
    }

    @Test func everyBehaviourAndEveryComplaintHasALine() throws {
        let lines = try page().text.split(separator: "\n")
        for (letter, last) in [("D", 102), ("C", 36)] {
            for number in 1...last {
                let row = lines.first { $0.hasPrefix("| \(letter)\(number) |") }
                let cells = row?.split(separator: "|", omittingEmptySubsequences: true).count ?? 0
                #expect(cells >= 3, "\(letter)\(number)")
            }
        }
    }

    @Test func everyTestNamedIsThere() throws {
        let (text, root) = try page()
        try checkTests(in: text, root: root)
    }
}
