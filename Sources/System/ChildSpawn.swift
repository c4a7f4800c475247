import CSystem
import Glibc

/// A started program and our ends of its pipes.
struct ChildSpawn: Sendable {
    let pid: Int32
    /// Readable when the program has ended.
    let processDescriptor: Int32
    /// -1 when nothing is to be written.
    let input: Int32
    let output: Int32
    /// -1 when it is not captured.
    let errorOutput: Int32
    let wakeDescriptor: Int32

    static func start(
        _ command: [String], environment: [String: String]?, directory: String?, hasInput: Bool,
        errorOutput: ChildProcess.ErrorOutput, ownsGroup: Bool = false
    ) throws(SystemError) -> ChildSpawn {
        guard let program = command.first else {
            throw SystemError(call: "start a program without a name", code: EINVAL)
        }
        var open: [Int32] = []
        do throws(SystemError) {
            func track(_ descriptors: [Int32]) -> [Int32] {
                open += descriptors
                return descriptors
            }
            let input = hasInput ? track(try pipe()) : []
            let output = track(try pipe())
            let error = if case .capture = errorOutput { track(try pipe()) } else { [Int32]() }
            let wake = track([try systemCall("make an eventfd") { csystem_eventfd() }])[0]

            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            if hasInput {
                posix_spawn_file_actions_adddup2(&actions, input[0], 0)
            } else {
                posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            }
            posix_spawn_file_actions_adddup2(&actions, output[1], 1)
            switch errorOutput {
            case .capture: posix_spawn_file_actions_adddup2(&actions, error[1], 2)
            case .discard: posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
            case .inherit: break
            }
            if let directory { csystem_spawn_chdir(&actions, directory) }
            // Libraries open descriptors that are not close-on-exec; no program of others gets the hub's sockets.
            csystem_spawn_closefrom(&actions, 3)

            // The program starts with no signal blocked and none ignored, whatever this program did to its own.
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            var none = sigset_t()
            sigemptyset(&none)
            var all = sigset_t()
            sigfillset(&all)
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setsigdefault(&attributes, &all)
            let group = ownsGroup ? POSIX_SPAWN_SETPGROUP : 0
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group))

            var pid: pid_t = 0
            let code = withCStrings(command) { arguments in
                guard let environment else {
                    return posix_spawnp(&pid, program, &actions, &attributes, arguments, environ)
                }
                return withCStrings(environment.map { "\($0)=\($1)" }) {
                    posix_spawnp(&pid, program, &actions, &attributes, arguments, $0)
                }
            }
            guard code == 0 else { throw SystemError(call: "start", subject: program, code: code) }
            let process = csystem_pidfd_open(pid)
            guard process >= 0 else {
                let reason = errno
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
                throw SystemError(call: "watch", subject: program, code: reason)
            }
            for descriptor in [input.first, output.last, error.last].compactMap({ $0 }) { close(descriptor) }
            let child = ChildSpawn(
                pid: pid, processDescriptor: process, input: input.last ?? -1, output: output[0],
                errorOutput: error.first ?? -1, wakeDescriptor: wake)
            for descriptor in [child.input, child.output, child.errorOutput] where descriptor >= 0 {
                csystem_set_nonblocking(descriptor)
            }
            return child
        } catch {
            for descriptor in open { close(descriptor) }
            throw error
        }
    }

    private static func pipe() throws(SystemError) -> [Int32] {
        var ends: [Int32] = [0, 0]
        try systemCall("make a pipe") { csystem_pipe(&ends) }
        return ends
    }
}

/// Calls `body` with the texts as a null-terminated array of C strings.
private func withCStrings<R>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let pointers = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
}
