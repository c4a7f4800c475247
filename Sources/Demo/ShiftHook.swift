import Basics
import Glibc
import System

/// An ERP for a shift: an executable that takes documents on `send` and knows them again on `find`.
struct ShiftHook: Sendable {
    let directory: String
    /// The program to give to a connector.
    var program: String { directory + "/hook" }

    init(directory: String) throws {
        self.directory = directory
        try Files.createDirectory(directory)
        let script = """
            #!/bin/sh
            here=$(dirname "$0")
            case "$1" in
            send) cat > "$here/$BINCOUNT_DOCUMENT.json" && echo "$BINCOUNT_DOCUMENT" >> "$here/sent"
                  echo "{\\"status\\":\\"ok\\",\\"ref\\":\\"ERP-$(wc -l < "$here/sent" | tr -d ' ')\\"}" ;;
            find) if [ -e "$here/$2.json" ]; then echo '{"status":"found"}'; else echo '{"status":"missing"}'; fi ;;
            *) exit 2 ;;
            esac

            """
        try Files.writeAtomically(script, to: directory + "/hook", mode: 0o755)
    }

    /// The documents taken, one entry for each send.
    func taken() throws -> [String] {
        let path = directory + "/sent"
        guard Files.exists(path) else { return [] }
        return try Files.readText(path).split(separator: "\n").map(String.init)
    }

    /// What a document's lines say: bin and item to quantity.
    func quantities(of document: String) throws -> [String: String] {
        let text = try JSONValue(parsing: try Files.read("\(directory)/\(document).json"))
        var result: [String: String] = [:]
        for line in text["lines"]?.array ?? [] {
            let quantity = line["quantity"]?.text ?? ""
            result["\(line["bin"]?.string ?? "") \(line["item"]?.string ?? "")"] = quantity
        }
        return result
    }
}
