import CSystem
import Glibc

/// Moves bytes between a child and its `ChildProcess` until the child has ended; runs on the child's own thread.
struct ChildPump: Sendable {
    let started: ChildSpawn
    let input: [UInt8]

    func run(_ child: ChildProcess) {
        // A child that closes its input is an error of one write, also where this program has not ignored the signal.
        var brokenPipe = sigset_t()
        sigemptyset(&brokenPipe)
        sigaddset(&brokenPipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
        child.state.withLock { $0.wakeDescriptor = started.wakeDescriptor }
        var inputDescriptor = started.input
        var inputOffset = 0
        var outputs = [started.output, started.errorOutput]
        var killAt: Int64?
        var ended = false
        while !ended {
            var descriptors = [
                started.processDescriptor, started.wakeDescriptor, inputDescriptor, outputs[0], outputs[1],
            ]
            .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            descriptors[2].events = Int16(POLLOUT)
            poll(&descriptors, UInt(descriptors.count), Int32(clamping: waitTime(child, &killAt)))
            if descriptors[1].revents != 0 {
                var count: UInt64 = 0
                _ = read(started.wakeDescriptor, &count, 8)
            }
            if descriptors[2].revents != 0 { feed(&inputDescriptor, &inputOffset) }
            for index in 0...1 where descriptors[3 + index].revents != 0 { drain(&outputs[index], index, child) }
            ended = descriptors[0].revents != 0
        }
        // The child may have written between the last poll and its end. A grandchild may hold the pipe for ever, so
        // only what is there now is read.
        for index in 0...1 where outputs[index] >= 0 { drain(&outputs[index], index, child) }
        finish(child)
        for descriptor in outputs + [inputDescriptor, started.processDescriptor] where descriptor >= 0 {
            close(descriptor)
        }
    }

    /// How long to wait for something to happen; sends the signals that are due.
    private func waitTime(_ child: ChildProcess, _ killAt: inout Int64?) -> Int64 {
        let (deadline, grace) = child.state.withLock { ($0.deadline, $0.grace) }
        let now = monotonicMilliseconds()
        if let at = killAt {
            if now < at { return at - now }
            kill(child.target, SIGKILL)
            return -1
        }
        guard let deadline else { return -1 }
        if now < deadline { return deadline - now }
        kill(child.target, SIGTERM)
        child.state.withLock { $0.timedOut = true }
        killAt = now + grace
        return grace
    }

    private func feed(_ descriptor: inout Int32, _ offset: inout Int) {
        while offset < input.count {
            let count = input.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { return }
                break  // The child closed its input: it wants no more.
            }
            offset += count
        }
        close(descriptor)
        descriptor = -1
    }

    private func drain(_ descriptor: inout Int32, _ index: Int, _ child: ChildProcess) {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            if count <= 0 {
                close(descriptor)
                descriptor = -1
                if index == 0 { deliver(child) { $0.outputEnded = true } }
                return
            }
            deliver(child) { state in
                let room = state.outputLimit - (index == 0 ? state.output.count : state.errorOutput.count)
                let kept = chunk[..<max(0, min(count, room))]
                if index == 0 { state.output += kept } else { state.errorOutput += kept }
            }
        }
    }

    /// Changes the state and answers those who wait for a line.
    private func deliver(_ child: ChildProcess, _ change: (inout ChildState) -> Void) {
        let answers = child.state.withLock { state in
            change(&state)
            var answers: [(CheckedContinuation<String?, Never>, String?)] = []
            while !state.lineWaiters.isEmpty, let line = state.takeLine() {
                answers.append((state.lineWaiters.removeFirst(), line))
            }
            return answers
        }
        for (waiter, line) in answers { waiter.resume(returning: line) }
    }

    /// Whether the program ended by itself; it has ended, and is not reaped by this.
    private func hasExited() -> Bool {
        var info = siginfo_t()
        while waitid(P_PID, id_t(started.pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        return info.si_code == Int32(CLD_EXITED)
    }

    private func finish(_ child: ChildProcess) {
        deliver(child) { $0.outputEnded = true }
        let (exit, waiters, onEnd) = child.state.withLock { state in
            // What the program started goes on only behind one that ended by itself. The id is the group's until the
            // program is reaped.
            if child.target < 0, state.timedOut || !hasExited() { kill(child.target, SIGKILL) }
            var status: Int32 = 0
            while waitpid(started.pid, &status, 0) < 0 && errno == EINTR {}
            let code = csystem_exit_status(status)
            let exit = code < 256 ? ExitStatus.code(code) : .signal(code - 256)
            state.exit = exit
            state.wakeDescriptor = nil
            // Closed under the lock: whoever wakes the pump holds it while it looks at the descriptor.
            close(started.wakeDescriptor)
            defer {
                state.exitWaiters = []
                state.onEnd = nil
            }
            return (exit, state.exitWaiters, state.onEnd)
        }
        for waiter in waiters { waiter.resume(returning: exit) }
        onEnd?()
    }
}
