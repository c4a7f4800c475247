import Glibc
import System
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ProcessTests {
    @Test func `a program gets its input and gives both outputs`() async throws {
        let result = try await ChildProcess.run(
            ["sh", "-c", "cat; echo $WORD >&2; pwd; exit 3"],
            environment: ["WORD": "to stderr", "PATH": "/usr/bin:/bin"],
            directory: "/", input: Array("in\n".utf8))
        #expect(result.status == .code(3))
        #expect(String(decoding: result.standardOutput, as: UTF8.self) == "in\n/\n")
        #expect(String(decoding: result.standardError, as: UTF8.self) == "to stderr\n")
        #expect(!result.timedOut)
    }

    @Test func `arguments are not seen by a shell`() async throws {
        let result = try await ChildProcess.run(["printf", "%s|", "a b", "$HOME", "*"])
        #expect(String(decoding: result.standardOutput, as: UTF8.self) == "a b|$HOME|*|")
    }

    @Test func `large input and output do not block each other`() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        let result = try await ChildProcess.run(["cat"], input: bytes)
        #expect(result.standardOutput == bytes)
        #expect(result.status.isSuccess)
    }

    @Test func `output beyond the limit is dropped and the program goes on`() async throws {
        let result = try await ChildProcess.run(["head", "-c", "1000000", "/dev/zero"], outputLimit: 1000)
        #expect(result.standardOutput.count == 1000)
        #expect(result.status == .code(0))
    }

    @Test func `a program that takes too long is ended`() async throws {
        let result = try await ChildProcess.run(
            ["sleep", "600"], timeoutMilliseconds: 20, graceMilliseconds: 120_000)
        #expect(result.timedOut)
        #expect(result.status == .signal(SIGTERM))
    }

    @Test func `a program that ignores the end is killed`() async throws {
        let child = try ChildProcess(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 600; done"])
        #expect(await child.readLine() == "ready")
        child.end(graceMilliseconds: 20)
        #expect(await child.wait() == .signal(SIGKILL))
    }

    @Test func `blocked signals are read instead of ending the program`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            SignalReader.block()
            let reader = try SignalReader()
            guard reader.next() == nil else { exit(1) }
            pthread_kill(pthread_self(), SIGWINCH)
            guard reader.next() == .windowChange else { exit(2) }
            pthread_kill(pthread_self(), SIGTERM)
            guard reader.next() == .terminate, reader.next() == nil else { exit(3) }
            exit(7)
        }
    }

    @Test func `cancelling the task ends the program`() async throws {
        let task = Task { try await ChildProcess.run(["sleep", "600"], graceMilliseconds: 120_000) }
        task.cancel()
        #expect(try await task.value.status == .signal(SIGTERM))
    }

    @Test func `a missing program is an error of the start`() async {
        await #expect {
            try await ChildProcess.run(["/no/such/program"])
        } throws: { "\($0)" == "cannot start /no/such/program: No such file or directory" }
    }

    @Test func `a kept program gives its lines, takes signals and ends`() async throws {
        let child = try ChildProcess(
            [
                "sh", "-c",
                "trap 'echo stopped; exit 0' TERM; echo one; echo; printf two; echo; while :; do sleep 0.01; done",
            ])
        #expect(await child.readLine() == "one")
        #expect(await child.readLine() == "")
        #expect(await child.readLine() == "two")
        child.send(.terminate)
        #expect(await child.readLine() == "stopped")
        #expect(await child.readLine() == nil)
        #expect(await child.wait() == .code(0))
        child.send(.kill)
        #expect(await child.wait() == .code(0))
    }

    @Test func `a last line without its end is given too`() async throws {
        let child = try ChildProcess(["printf", "a\nb"])
        #expect(await child.readLine() == "a")
        #expect(await child.readLine() == "b")
        #expect(await child.readLine() == nil)
    }

    @Test func `a grandchild that holds the pipe does not hold the end`() async throws {
        let result = try await ChildProcess.run(["sh", "-c", "sleep 600 & echo $!"])
        #expect(result.status == .code(0))
        let grandchild = try #require(Int32(String(decoding: result.standardOutput.dropLast(), as: UTF8.self)))
        kill(grandchild, SIGKILL)
    }

    @Test func `what a program started does not outlive one that was killed or ended`() async throws {
        func hasEnded(_ process: Int32) -> Bool {
            // Whoever has ended is gone, or waits for his new parent.
            guard let text = try? Files.readText("/proc/\(process)/stat") else { return true }
            return text.includes(") Z ")
        }
        let killed = try await ChildProcess.run(["sh", "-c", "sleep 600 & echo $!; kill -KILL $$"])
        #expect(killed.status == .signal(SIGKILL))
        let first = try #require(Int32(String(decoding: killed.standardOutput.dropLast(), as: UTF8.self)))
        while !hasEnded(first) { await Task.yield() }

        let directory = try TempDirectory()
        let script = "trap '' TERM; sleep 600 & trap - TERM; echo $! > \"$0\"; mv \"$0\" \"$0.whole\"; wait"
        let task = Task { [path = directory.file("pid") as String] in
            try await ChildProcess.run(["sh", "-c", script, path], graceMilliseconds: 120_000)
        }
        while !Files.exists(directory.file("pid.whole")) { await Task.yield() }
        task.cancel()
        #expect(try await task.value.timedOut)
        let text = try Files.readText(directory.file("pid.whole"))
        let second = try #require(Int32(text.filter { $0 != "\n" }))
        while !hasEnded(second) { await Task.yield() }
    }

    @Test func `a lock is held against this process and others, and ends with its owner`() async throws {
        let directory = try TempDirectory()
        let path = directory.file("lock")
        do {
            #expect(!FileLock.isHeld(path) && !Files.exists(path))
            let lock = try FileLock(path)
            #expect(FileLock.isHeld(path))
            #expect {
                try FileLock(path)
            } throws: { "\($0)" == "\(path) is in use by process \(getpid())" }
            let other = try await ChildProcess.run(["flock", "-n", path, "true"])
            #expect(!other.status.isSuccess)
            withExtendedLifetime(lock) {}
        }
        let holder = try ChildProcess(["sh", "-c", "exec 9<>\(path); flock -n 9 && echo held; exec sleep 600"])
        #expect(await holder.readLine() == "held")
        #expect(throws: FileLock.Held.self) { try FileLock(path) }
        #expect(FileLock.isHeld(path))
        holder.send(.kill)
        #expect(await holder.wait() == .signal(SIGKILL))
        #expect(!FileLock.isHeld(path))
        _ = try FileLock(path)
    }

    @Test func `a lock that was let go is free, also while a program being started has its file`() throws {
        let directory = try TempDirectory()
        let path = directory.file("lock")
        var lock: FileLock? = try FileLock(path)
        // What a child has between fork and exec: the same open file.
        var wanted = stat()
        #expect(stat(path, &wanted) == 0)
        let copies = (try Files.list("/proc/self/fd")).compactMap { Int32($0) }.filter {
            var found = stat()
            return fstat($0, &found) == 0 && found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino
        }.map { dup($0) }
        defer { copies.forEach { _ = close($0) } }
        #expect(copies.count == 1)
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(!FileLock.isHeld(path))
        _ = try FileLock(path)
    }
}
