import Basics
import Hub
import System

/// `bincount hub init`: makes a site's authority and the hub's certificate.
enum HubInitCommand {
    static let command = Program.Command(
        name: "init", summary: "make the site's authority and the hub's certificate",
        help: """
            bincount hub init --data DIR [--name HOST]…

            Sets a site up for TLS: makes its own authority (valid for 20 years) and the hub's certificate, signed by it,
            for the host names and addresses under which terminals reach the hub; without --name those of this machine.
            What is there already is left alone. Keep DIR/tls/authority.key and a copy of it safe: whoever has it can
            pass for the hub. A running hub renews its certificate by itself.

            With a certificate of your own instead: bincount hub --tls-certificate FILE --tls-key FILE.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let settings = try Settings([HubSettings.data.definition], &arguments)
        let data = try settings.required(HubSettings.data)
        let names = try arguments.values("--name", "HOST")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        try HubDirectory.make(data)
        // Two at once would each make an authority.
        let lock = try FileLock(data + "/tls.lock")
        defer { withExtendedLifetime(lock) {} }
        let site = SiteCertificates(dataDirectory: data)
        let outcome = try site.make(names: names, now: SystemTimeSource().now())
        let (authority, own) = (try site.authority(), try site.server().chain[0])
        switch outcome {
        case .made: print("The site has its own authority now: \(site.authorityFile)")
        case .completed: print("The authority was there; the hub has a certificate now.")
        case .unchanged: print("The hub is set up already; nothing was changed.")
        }
        print(
            """
            Its SHA-256 fingerprint, which terminals show when something is wrong:
              \(authority.fingerprint)
            The hub's certificate is for \(own.names.joined(separator: ", ")), until \(day(own.validUntil)); a running hub
            renews it by itself.
            Next:
              bincount hub --data \(data) --listen 0.0.0.0:8420 …      starts the hub
              bincount hub enrol-code --data \(data)                   lets one terminal in
            """)
        return 0
    }

    static func day(_ time: DateTime) -> String { String(time.iso8601.prefix(10)) }
}

/// `bincount hub renew`: a new certificate for the hub.
enum HubRenewCommand {
    static let command = Program.Command(
        name: "renew", summary: "give the hub a new certificate, perhaps for more names",
        help: """
            bincount hub renew --data DIR [--name HOST]…

            Makes a new key and certificate from the site's authority, for the names it had and those given. A running hub
            gives it to new connections within seconds; open ones go on. Terminals notice nothing: they trust the
            authority. A running hub does this by itself when less than 90 days are left.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let settings = try Settings([HubSettings.data.definition], &arguments)
        let data = try settings.required(HubSettings.data)
        let names = try arguments.values("--name", "HOST")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let own = try SiteCertificates(dataDirectory: data).renew(adding: names, now: SystemTimeSource().now())
        print(
            "The certificate is for \(own.names.joined(separator: ", ")), until \(HubInitCommand.day(own.validUntil)).")
        return 0
    }
}

/// `bincount hub enrol-code`: a one-time code for one terminal.
enum HubEnrolCodeCommand {
    static let command = Program.Command(
        name: "enrol-code", summary: "make a one-time code with which a terminal enrols",
        help: """
            bincount hub enrol-code --data DIR [--device NAME] [--group GROUP]… [--minutes 30]

            Prints a code that one terminal can use once, within the time, with `bincount enrol URL`. It gets a key of its
            own, which acts as the groups (counters without --group; supervisors for a supervisor's view). --device gives
            the terminal its name; else it keeps its own. The hub may run meanwhile. Give the code to whoever holds the
            terminal, not to the network. \(GroupCheck.help)
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let settings = try Settings(
            [
                HubSettings.data.definition, HubSettings.tlsCertificate.definition, HubSettings.tlsKey.definition,
            ], &arguments)
        let data = try settings.required(HubSettings.data)
        let device = try arguments.value("--device", "NAME")
        let groups = try arguments.values("--group", "GROUP")
        let check = try GroupCheck(&arguments)
        let text = try arguments.value("--minutes", "N") ?? "30"
        guard let minutes = Int64(text), (1...10_080).contains(minutes) else {
            throw UsageError("--minutes \(printable(text)): it is a whole number from 1 to 10080")
        }
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        try check.refuseUnknown(Set(groups), data)
        let expires = SystemTimeSource().now().advanced(by: minutes * 60_000)
        let code = try EnrolmentCodes.make(
            dataDirectory: data, source: try HubSettings.certificate(settings), device: device,
            groups: groups.isEmpty ? ["counters"] : groups, expires: expires)
        print(code.text)
        printError(
            "good once, for \(minutes) minutes" + (device.map { ", for \($0)" } ?? "")
                + "; on the terminal: bincount enrol URL --data DIR")
        return 0
    }
}
