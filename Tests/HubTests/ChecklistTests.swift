import NamedTests
import System
import Testing

@Suite("The checklist of the protocol")
struct ChecklistTests {
    private let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    private func page() throws -> String { try Files.readText(root + "/Tests/HubTests/CHECKLIST.md") }

    @Test func everyTestNamedIsThere() throws {
        let tests = NamedTests(in: try page(), root: root)
        #expect(tests.missing == [])
        #expect(tests.count > 35)
    }

    @Test func everyItemNamesATestAndEveryScriptIsThere() throws {
        let page = try page()
        for row in page.split(separator: "\n") where row.first == "|" && row.dropFirst(2).first?.isNumber == true {
            let cells = row.split(separator: "|")
            #expect(cells.count == 3 && cells[2].contains("`"), "\(row)")
        }
        for script in page.split(separator: "`") where script.hasSuffix(".py") && !script.contains(" ") {
            #expect(Files.exists("\(root)/Tests/Clients/\(script)"), "\(script)")
        }
    }
}
