import Assembly
import Basics
import Counting
import Crypto
import DataStore
import Glibc
import InventoryControl
import System
import WarehouseModels

/// `bincount import`: files of the ERP into a store, or to a hub.
enum ImportCommand {
    static let command = Program.Command(
        name: "import", summary: "take zones, items, bins, book quantities from files",
        help: """
            bincount import --data DIR | --hub URL [--mapping FILE]… [--dry-run] [--json] [--site NAME] [--verbose]
                            [--api-key-file FILE | --token-file FILE] [--tls-authority FILE] FILE…

            Takes tab-, comma- or semicolon-separated files by mapping files, which name the files and models they serve;
            the order of the files never matters. A bad line rejects itself and is listed with file, line, column, value
            and reason; everything else goes in. The same files again change nothing. --dry-run only tells.
            --data is a store's directory, whose changes go out through its outbox; what a terminal's store does not
            send stays there, as it says then, and what its counters must not see is left out. --hub sends everything
            to a hub and waits until it has it (the key needs the group `desk`). Without --mapping, the .mapping files
            beside the first FILE are used. Exit 0 when every line was taken, 1 when some were not or the work failed.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.value("--data", "DIR")
        let hub = try Options.hub(&arguments)
        var mappingFiles = try arguments.values("--mapping", "FILE")
        let dryRun = arguments.flag("--dry-run")
        let asJSON = arguments.flag("--json")
        let site = try arguments.value("--site", "NAME") ?? "main"
        let log = Options.log(&arguments)
        let paths = try arguments.rest()
        guard (data == nil) != (hub == nil) else { throw UsageError("give either --data DIR or --hub URL") }
        guard let first = paths.first else { throw UsageError("name the files to import") }
        if mappingFiles.isEmpty {
            let folder = Files.parent(of: first)
            mappingFiles = try Files.list(folder).filter { $0.hasSuffix(".mapping") }.sorted().map { "\(folder)/\($0)" }
            guard !mappingFiles.isEmpty else { throw UsageError("no mapping is given and none lies beside \(first)") }
        }
        let mappings = try mappingFiles.map {
            try ImportMapping(try Files.readText($0), name: $0, schema: warehouse)
        }
        let files = try paths.map { ImportFile(path: $0, bytes: try Files.read($0)) }
        let showsProgress = isatty(STDERR_FILENO) == 1
        let report = try waitFor {
            try await ImportProcess.run(
                files: files, mappings: mappings, into: hub.map { .hub($0) } ?? .directory(data ?? ""), site: site,
                dryRun: dryRun, log: log,
                progress: { text in if showsProgress { showProgress(text) } })
        }
        if showsProgress { showProgress("") }
        if asJSON { print(report.json.text) } else { show(report, dryRun: dryRun) }
        return report.rejected.isEmpty && report.leftOut.isEmpty ? 0 : 1
    }

    private static func show(_ report: ImportReport, dryRun: Bool) {
        for rejected in report.rejected { print("rejected  \(rejected)") }
        for file in report.files { print("\(file.name): \(file.lines) lines") }
        for (name, counts) in report.models {
            print("\(name): \(counts.created) new, \(counts.changed) changed, \(counts.unchanged) unchanged")
        }
        func list(_ models: [(name: String, count: Int)]) -> String {
            models.map { "\($0.count) of \($0.name)" }.joined(separator: ", ")
        }
        if !report.unsent.isEmpty {
            print("stay in this store, which never sends them (--hub does): \(list(report.unsent))")
        }
        if !report.leftOut.isEmpty {
            print("left out, since whoever counts with this store must not see them: \(list(report.leftOut))")
        }
        let done = dryRun ? "would be made (dry run)" : "made"
        print("\(report.changes) changes \(done), \(report.rejected.count) lines rejected")
    }
}

/// Writes over the progress line on standard error.
func showProgress(_ text: String) {
    let bytes = Array("\r\u{1B}[K\(printable(text))".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}
