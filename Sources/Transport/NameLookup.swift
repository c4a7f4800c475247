import Glibc
import Synchronization
import System

/// Finds the addresses of host names for the sockets of one loop, away from its thread.
///
/// The system answers only who waits, and while a name server is away it waits for ten seconds and longer: the loop
/// would stand still meanwhile, timers and all. So each name is looked up on a thread of its own, which nobody waits
/// for longer than he may take to connect; whoever needs the name meanwhile shares its answer. Nothing is kept beyond
/// that: an address may change at any time.
final class NameLookup: Sendable {
    typealias Answer = Result<[String], NameFailure>

    private let find: @Sendable (String) -> Answer
    private let waiting = Mutex<[String: [@Sendable (Answer) -> Void]]>([:])

    /// Looks names up with `find`, which may take its time; the system's resolver where none is given.
    init(_ find: @escaping @Sendable (_ host: String) -> Answer = { SystemNames.addresses(of: $0) }) {
        self.find = find
    }

    /// Calls `completion` with the addresses of a name on a thread that is made for it.
    func addresses(of host: String, _ completion: @escaping @Sendable (Answer) -> Void) {
        let isFirst = waiting.withLock { waiting in
            waiting[host, default: []].append(completion)
            return waiting[host]?.count == 1
        }
        guard isFirst else { return }
        startThread(named: "name lookup") { [self] in
            let answer = find(host)
            let completions = waiting.withLock { $0.removeValue(forKey: host) ?? [] }
            for completion in completions { completion(answer) }
        }
    }
}

/// Why a name has no address.
struct NameFailure: Error, Equatable, CustomStringConvertible {
    /// The reason in the system's words.
    let description: String
}

/// The system's own resolver.
enum SystemNames {
    /// The address that a text is; nil where it is a name. Asks nobody.
    static func address(_ text: String) -> String? { try? look(text, AI_NUMERICHOST).get().first }

    /// The addresses of a name, the most promising first. Waits for name servers.
    static func addresses(of host: String) -> NameLookup.Answer { look(host, 0) }

    private static func look(_ host: String, _ flags: Int32) -> NameLookup.Answer {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        let reason = code == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(code))
        guard code == 0 else { return .failure(NameFailure(description: "the name cannot be looked up: \(reason)")) }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            let address = String(decoding: text.lazy.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if code == 0, !found.contains(address) { found.append(address) }
        }
        return found.isEmpty ? .failure(NameFailure(description: "the name has no address")) : .success(found)
    }
}
