import Basics
import System
import Testing

/// Checks that each test which a page names as `Target/File.function` is there.
func checkTests(in page: String, root: String) throws {
    let names = page.split(separator: "`").filter { $0.contains("Tests/") && !$0.contains(" ") && !$0.contains("\n") }
    #expect(names.count > 10)
    var sources: [String: String] = [:]
    for name in Set(names) {
        let parts = name.split(separator: ".")
        guard parts.count == 2 else {
            Issue.record("\(name) is no Target/File.function")
            continue
        }
        let file = "\(root)/Tests/\(parts[0]).swift"
        let source = sources[file] ?? (try? Files.readText(file)) ?? ""
        sources[file] = source
        #expect(source.contains("func \(parts[1])("), "there is no test \(name)")
    }
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
