import Assembly
import Basics
import Hub
import System

/// `bincount enrol`: makes this terminal one of a site's.
enum EnrolCommand {
    static let command = Program.Command(
        name: "enrol", summary: "make this terminal one of a site's, with a one-time code",
        help: """
            bincount enrol URL --data DIR

            Asks for the code that `bincount hub enrol-code` printed (or reads it from standard input), makes sure that
            the hub at URL made it, remembers the hub's authority, and gets this terminal's key; both are kept in DIR for
            you alone. Afterwards `bincount count --data DIR` needs nothing else. Enrolling again replaces the key.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let words = try arguments.rest()
        guard words.count == 1, let url = words.first else { throw UsageError("it takes the hub's URL") }
        // Held by a running app: it would go on with the old key.
        try Files.createDirectory(data)
        let lock = try FileLock(data + "/app.lock")
        defer { withExtendedLifetime(lock) {} }
        let code = try askForCode()
        let enrolment = try waitFor { try await Enrolment.enrol(url: url, code: code, directory: data) }
        print(
            """
            Enrolled as \(enrolment.device) at \(enrolment.url), as \(enrolment.groups.joined(separator: ", ")).
            \(trust(enrolment))
            Now: bincount \(enrolment.groups.contains("supervisors") ? "supervise" : "count") --data \(data)
            """)
        return 0
    }

    private static func trust(_ enrolment: Enrolment) -> String {
        guard let anchor = enrolment.anchor else {
            return "The hub's certificate is vouched for by the authorities that this system trusts."
        }
        return "Its authority is pinned: \(anchor.commonName)\n  \(anchor.fingerprint)"
    }

    /// The code that is typed; a person may mistype it a few times, a script may not.
    private static func askForCode() throws -> EnrolmentCode {
        for _ in 0..<(Prompt.isPerson ? 5 : 1) {
            guard let line = Prompt.line("Code: ") else { break }
            if let code = EnrolmentCode(typed: line) { return code }
            if Prompt.isPerson { printError("That is no code: eleven letters and digits, one of them is wrong.") }
        }
        throw CommandFailure("there was no code: eleven letters and digits, as `bincount hub enrol-code` prints them")
    }
}
