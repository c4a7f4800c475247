import Basics
import Glibc
import System

/// `bincount hub unit`: the systemd unit that runs a hub.
enum HubUnitCommand {
    private static let user = Setting<String>.text("user", "NAME", default: "bincount", help: "who it runs as")
    private static let program = Setting<String?>.text("program", "FILE", help: "the program, instead of this one")

    static let command = Program.Command(
        name: "unit", summary: "print a systemd unit that runs the hub",
        help: """
            bincount hub unit --data DIR [--user NAME] [--config FILE] [--program FILE] > /etc/systemd/system/bincount-hub.service

            The service may write nothing but DIR and the directory of --export-csv, see no other process and no home, gain
            no right, and is watched: it says when it is ready and is started again when it hangs or dies. Settings stand in
            the file that --config names; keys in a file only NAME may read. NAME and the directories must be there first:
            install -d -m 700 -o NAME -g NAME DIR
            Other commands on DIR are for NAME too (sudo -u NAME bincount hub …); what root makes there is given to DIR's
            owner. The service has no right to a port below 1024: use one above it, or a proxy or socket in front.
            \(Settings.help([HubSettings.data.definition, user.definition, program.definition]))
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        // The file is named in the unit, and read here only to be checked.
        let config = try arguments.values("--config", "FILE").last ?? Options.environment("BINCOUNT_CONFIG")
        var words = CommandLineArguments(config.map { ["--config", $0] } ?? [])
        let served = try config.map { _ in try Settings(HubSettings.serving, &words) }
        let writes = served?[HubSettings.exportCSV].map { [$0] } ?? []
        let settings = try Settings([HubSettings.data.definition, user.definition, program.definition], &arguments)
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let data = absolute(try settings.required(HubSettings.data))
        let binary = try settings[program].map(absolute) ?? own()
        let unit = text(
            program: binary, data: data, config: config.map(absolute), user: settings[user],
            writes: writes.map(absolute))
        print(unit, terminator: "")
        return 0
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }

    private static func own() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw CommandFailure("this program's own file cannot be named; give --program FILE") }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// One word of a command line as systemd reads it.
    private static func word(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "%": result += "%%"
            case "$": result += "$$"
            case "\\", "\"": result += "\\\(character)"
            default: result.append(character)
            }
        }
        return text.contains(where: { $0 == " " || $0 == "\"" || $0 == "'" }) ? "\"\(result)\"" : result
    }

    private static func text(
        program: String, data: String, config: String?, user: String, writes: [String]
    ) -> String {
        let options = config.map { " --config \(word($0))" } ?? ""
        let paths = ([data] + writes).map(word).joined(separator: " ")
        return """
            [Unit]
            Description=Bincount hub
            Documentation=man:systemd.exec(5)
            After=network-online.target
            Wants=network-online.target

            [Service]
            Type=notify
            NotifyAccess=main
            ExecStart=\(word(program)) hub --data \(word(data))\(options)
            ExecReload=/bin/kill -HUP $MAINPID
            User=\(user)
            Group=\(user)
            UMask=0077
            Restart=on-failure
            RestartSec=2
            WatchdogSec=60
            TimeoutStartSec=300
            TimeoutStopSec=45
            LimitNOFILE=65536
            OOMScoreAdjust=-500

            ReadWritePaths=\(paths)
            ProtectSystem=strict
            ProtectHome=true
            PrivateTmp=true
            PrivateDevices=true
            ProtectProc=invisible
            ProcSubset=pid
            ProtectClock=true
            ProtectHostname=true
            ProtectKernelLogs=true
            ProtectKernelModules=true
            ProtectKernelTunables=true
            ProtectControlGroups=true
            NoNewPrivileges=true
            CapabilityBoundingSet=
            AmbientCapabilities=
            LockPersonality=true
            MemoryDenyWriteExecute=true
            RemoveIPC=true
            RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
            RestrictNamespaces=true
            RestrictRealtime=true
            RestrictSUIDSGID=true
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallFilter=~@privileged @resources
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target

            """
    }
}
