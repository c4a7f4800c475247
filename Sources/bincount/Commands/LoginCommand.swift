import Assembly
import Basics
import System
import Transport

/// `bincount login`: signs a person in at a hub.
enum LoginCommand {
    static let command = Program.Command(
        name: "login", summary: "sign in at a hub with badge and PIN",
        help: """
            bincount login --data DIR | --print [--hub URL] [--badge BADGE] [--device CODE] [--api-key-file FILE]
                           [--tls-authority FILE]

            Asks for the badge and, without showing it, for the PIN; from a pipe it reads the PIN as one line (the badge
            before it, where --badge does not give it). The token is kept as DIR/token, readable by its owner alone,
            where `supervise`, `desk` and `count` with the same --data find it, to be shown to this hub and no other;
            --print writes it out instead, for BINCOUNT_TOKEN. A terminal that was enrolled needs no --hub, and signs
            people in with its own key.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let named = try arguments.value("--hub", "URL")
        let data = try arguments.value("--data", "DIR")
        let prints = arguments.flag("--print")
        var badge = try arguments.value("--badge", "BADGE")
        let device = try arguments.value("--device", "CODE")
        let given = try Options.key(&arguments)
        let authority = try arguments.value("--tls-authority", "FILE")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        guard (data != nil) != prints else { throw UsageError("give either --data DIR or --print") }
        let enrolment = try data.flatMap { try Enrolment.read(in: $0) }
        guard let url = named ?? enrolment?.url else { throw UsageError("--hub URL is missing") }
        try Options.checkHub(url)
        let here = enrolment?.url == url ? enrolment : nil
        let anchor = try authority.map(Options.certificate) ?? here?.anchor
        let tls = try anchor.map { try TLSClientContext(trust: .pinned($0)) }
        let key = given ?? here?.key
        let code = device ?? here?.device
        if badge == nil { badge = Prompt.line("Badge: ") }
        guard let badge, !badge.isEmpty else { throw UsageError("nobody can sign in without a badge") }
        let pin = try Prompt.secret("PIN: ")
        let kept = try data.flatMap { try KeptToken.read(in: $0) }
        let earlier = kept?.hub == url ? kept?.text : nil
        let token = try waitFor {
            try await SignInProcess.run(
                url: url, badge: badge, pin: pin, device: code, key: key, earlier: earlier, tls: tls)
        }
        if let data {
            try Files.createDirectory(data)
            try KeptToken(text: token.text, hub: url, file: KeptToken.path(in: data)).write()
            print(
                "signed in: \(printable(token.person)) (\(token.groups.joined(separator: ", "))) until \(token.expires.iso8601)"
            )
        } else {
            print(token.text)
        }
        return 0
    }
}
