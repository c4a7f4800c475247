import Glibc
import System
import Testing

/// The ledger of what the compiler does not check: every such place in the sources names its guard, and none is added
/// without being counted here.
struct GuardLedgerTests {
    /// Places by module. A change here is a change to be read with care.
    private static let ledger = [
        "Crypto": 1, "Hub": 6, "SyncEngine": 1, "System": 2, "Transport": 15, "bench": 2,
    ]

    private static let marks = ["try!", " as! ", "@unchecked Sendable", "nonisolated(unsafe)"]

    private struct Place {
        let module: String
        let name: String
        let isGuarded: Bool
    }

    private static func places() throws -> [Place] {
        let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath))) + "/Sources"
        var result: [Place] = []
        var folders = [root]
        while let folder = folders.popLast() {
            for name in try Files.list(folder) {
                let path = folder + "/" + name
                guard name.hasSuffix(".swift") else {
                    if !name.contains(".") { folders.append(path) }
                    continue
                }
                let lines = try Files.readText(path).split(separator: "\n", omittingEmptySubsequences: false)
                let module = path.dropFirst(root.utf8.count + 1).prefix { $0 != "/" }
                for (index, line) in lines.enumerated() where isPlace(line) {
                    let above = lines[max(0, index - 8)...index]
                    result.append(
                        Place(
                            module: String(module), name: "\(path):\(index + 1)",
                            isGuarded: above.contains { $0.contains("//") && $0.lowercased().contains("guard") }))
                }
            }
        }
        return result
    }

    private static func isPlace(_ line: Substring) -> Bool {
        let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        return marks.contains { code.contains($0) }
    }

    @Test func `every place that the compiler does not check names its guard`() throws {
        let bare = try GuardLedgerTests.places().filter { !$0.isGuarded }.map(\.name)
        #expect(bare == [])
    }

    @Test func `the ledger is true`() throws {
        let found = Dictionary(grouping: try GuardLedgerTests.places(), by: \.module).mapValues(\.count)
        #expect(found == GuardLedgerTests.ledger)
    }
}
