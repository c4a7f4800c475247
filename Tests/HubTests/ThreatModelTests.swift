import NamedTests
import System
import Testing

@Suite struct ThreatModelTests {
    @Test func everyTestThatThePageNamesIsThere() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try Files.readText(root + "/Sources/Hub/Hub.docc/ThreatModel.md")
        let tests = NamedTests(in: page, root: root)
        #expect(tests.missing == [])
        #expect(tests.count > 30)
        let claims = page.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| statement") }
        for claim in claims { #expect(claim.contains("Tests/"), "\(claim) names no test") }
    }
}
