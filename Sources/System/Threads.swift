import CSystem
import Glibc

/// Starts a detached thread that runs `body` once.
@discardableResult
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t {
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
            csystem_name_this_thread(String(start.name.utf8.prefix(15)))
            start.body()
            return nil
        }, start.toOpaque())
    precondition(code == 0, "cannot start the thread \(name): \(String(cString: strerror(code)))")
    return thread
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
