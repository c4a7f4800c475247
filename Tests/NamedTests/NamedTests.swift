import Basics
import System

/// The tests that a page names, as `Target/File.function` or, for all of a file, as `Target/File`.
public struct NamedTests {
    /// How many different tests the page names.
    public let count: Int
    /// Those that are not there, each as it is written.
    public let missing: [String]

    /// Looks for each of them below `root`.
    public init(in page: String, root: String) {
        let names = Set(
            page.split(separator: "`").filter { $0.contains("Tests/") && !$0.contains(" ") && !$0.contains("\n") })
        var sources: [String: String] = [:]
        var missing: [String] = []
        for name in names.sorted() {
            let parts = name.split(separator: ".")
            let file = "\(root)/Tests/\(parts[0]).swift"
            let source = sources[file] ?? (try? Files.readText(file)) ?? ""
            sources[file] = source
            let wanted = parts.count == 1 ? "@Test" : "func \(parts[1])("
            if parts.count > 2 || !source.contains(wanted) { missing.append(String(name)) }
        }
        count = names.count
        self.missing = missing
    }
}
