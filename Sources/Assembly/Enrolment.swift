import AppSync
import Basics
import Crypto
import Hub
import SyncEngine
import System
import Transport

/// What a terminal got when it enrolled: its hub, its key, and whom to believe there. Kept in its data directory, for its
/// user alone.
package struct Enrolment: Sendable {
    /// The hub's URL, ending in `/graphql`.
    package let url: String
    /// The terminal's key.
    package let key: String
    /// The terminal's code.
    package let device: String
    /// What the key may act as.
    package let groups: [String]
    /// The certificate that was pinned; nil where the system's authorities vouch for the hub.
    package let anchor: Certificate?
    /// When it enrolled.
    package let at: DateTime

    /// The file in a data directory.
    package static func path(in directory: String) -> String { directory + "/hub.json" }

    /// What the directory was enrolled with; nil where it was not.
    ///
    /// - Throws: ``EnrolmentError`` where the file cannot be read.
    package static func read(in directory: String) throws -> Enrolment? {
        let path = path(in: directory)
        guard Files.exists(path) else { return nil }
        guard let json = try? JSONValue(parsing: try Files.read(path)), let url = json["url"]?.string,
            let key = json["key"]?.string, let device = json["device"]?.string
        else { throw EnrolmentError("\(path) cannot be read; enrol again (bincount enrol URL --data \(directory))") }
        let pem = json["anchor"]?.string
        let anchor = try pem.map { try Certificate.read(pem: Array($0.utf8))[0] }
        return Enrolment(
            url: url, key: key, device: device, groups: (json["groups"]?.array ?? []).compactMap(\.string),
            anchor: anchor, at: DateTime(milliseconds: json["enrolledAt"]?.integer ?? 0))
    }

    /// Keeps it, whole or not at all.
    func write(in directory: String) throws {
        let json = JSONValue.object([
            "url": .string(url), "key": .string(key), "device": .string(device),
            "groups": .array(groups.map { .string($0) }),
            "anchor": anchor.map { .string(String(decoding: $0.pem, as: UTF8.self)) } ?? .null,
            "enrolledAt": .integer(at.milliseconds),
        ])
        try Files.writeAtomically(json.bytes + [10], to: Self.path(in: directory), mode: 0o600)
    }

    /// How a device reaches the hub.
    package func link() throws -> HubLink {
        HubLink(url: url, key: key, tls: try TLSClientContext(trust: anchor.map { .pinned($0) } ?? .system))
    }

    /// Why the hub cannot be used now; nil where its certificate is believed and it takes the terminal's key.
    package func problem() async -> String? {
        do {
            guard let tls = try link().tls else { return nil }
            let loop = try WebSocketLoop(name: "status")
            defer { loop.stop() }
            let client = try HTTPClient(loop: loop, origin: try URLParts(url), tls: tls)
            let body: JSONValue = ["query": "{__typename}"]
            let headers: HTTPHeaders = ["content-type": "application/json", HeaderName.apiKey: key]
            let answer = try await client.send(
                HTTPRequest(path: try URLParts(url).path, headers: headers, body: body.bytes),
                timeoutMilliseconds: 3_000)
            switch answer.status {
            case 200: return nil
            case 401:
                return "it does not take this terminal's key any more: the key was withdrawn, or has ended. Have a new "
                    + "code made (bincount hub enrol-code) and enrol again (bincount enrol)"
            default: return "it answers with status \(answer.status)"
            }
        } catch {
            return "\(error)"
        }
    }
}

/// Why a terminal could not enrol: one line that says what to do.
package struct EnrolmentError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension Enrolment {
    /// Enrols a data directory at a hub: pins whom to believe, and gets the terminal's key.
    ///
    /// The first connection only learns which certificate is presented. The second believes nothing else, and on it the
    /// code is proven, bound to that certificate: only the hub that made the code can answer (``EnrolmentCode``).
    /// Nothing is kept before its answer was.
    package static func enrol(
        url text: String, code: EnrolmentCode, directory: String, time: any TimeSource = SystemTimeSource()
    ) async throws -> Enrolment {
        let url = try address(text)
        try Files.createDirectory(directory)
        let loop = try WebSocketLoop(name: "enrol")
        defer { loop.stop() }
        let chain: [Certificate]
        do {
            chain = try await CertificateProbe.chain(loop: loop, host: url.host, port: url.port)
        } catch {
            throw EnrolmentError("\(error)")
        }
        guard let anchor = chain.last else { throw EnrolmentError("\(url.hostAndPort) presents no certificate") }
        guard let keys = code.keys(anchor: anchor) else { throw EnrolmentError("there is not enough memory to enrol") }
        let saved = DeviceStore.codeOfData(in: directory)
        var request = keys.request(
            nonce: SecureRandom.bytes(16), device: try saved ?? DeviceStore.savedCode(in: directory),
            isFixed: saved != nil)
        // What cannot be read is replaced by what comes now.
        if let former = (try? read(in: directory))?.key { request.show(formerKey: former) }
        let (body, isPublic) = try await post(request.bytes, to: url, anchor, loop, time)
        guard let answer = EnrolmentAnswer(body), keys.accepts(answer, to: request) else {
            throw EnrolmentError(
                "whoever answers at \(url.hostAndPort) does not know the code, so it is not the hub that made it. "
                    + "Its authority has the fingerprint \(anchor.fingerprint); compare it with what `bincount hub init` "
                    + "says on the hub, and tell who runs it")
        }
        let enrolment = Enrolment(
            url: url.description, key: answer.key, device: answer.device, groups: answer.groups,
            anchor: isPublic ? nil : anchor, at: time.now())
        try enrolment.write(in: directory)
        if answer.device != request.device { try DeviceStore.save(code: answer.device, in: directory) }
        return enrolment
    }

    /// Posts the request to whom the system's authorities vouch for, else to whoever has the certificate that was seen;
    /// the answer, and whether it was the former.
    private static func post(
        _ body: [UInt8], to url: URLParts, _ anchor: Certificate, _ loop: WebSocketLoop, _ time: any TimeSource
    ) async throws -> ([UInt8], isPublic: Bool) {
        let request = HTTPRequest(path: "/enrol", headers: ["content-type": "application/json"], body: body)
        for trust in [TLSTrust.system, .pinned(anchor)] {
            let client = try HTTPClient(
                loop: loop, origin: url, tls: try TLSClientContext(trust: trust, time: time))
            var result = await answer(client, request)
            // The code may be used up; the hub repeats its answer to the very same request.
            if case .failure(.connectionLost) = result { result = await answer(client, request) }
            switch result {
            case .success(let answer) where answer.status == 200: return (answer.body, trust == .system)
            case .success(let answer):
                let reason = (try? JSONValue(parsing: answer.body))?["error"]?.string
                throw EnrolmentError(
                    reason.map { "the hub refuses: \(printable($0))" }
                        ?? "\(url.hostAndPort) answers with status \(answer.status); is it a hub of this version?")
            case .failure(.untrusted) where trust == .system: continue
            case .failure(let error): throw EnrolmentError("\(error)")
            }
        }
        throw EnrolmentError("\(url.hostAndPort) is not believed")
    }

    private static func answer(
        _ client: HTTPClient, _ request: HTTPRequest
    ) async -> Result<HTTPResponse, TransportError> {
        await withCheckedContinuation { continuation in
            client.send(request) { continuation.resume(returning: $0) }
        }
    }

    /// The hub's URL from what a person types: `hub.example:8420` suffices.
    static func address(_ text: String) throws -> URLParts {
        var text = text
        if !text.includes("://") { text = "https://" + text }
        var url: URLParts
        do { url = try URLParts(text) } catch { throw EnrolmentError("\(error)") }
        guard url.scheme == "https" else {
            throw EnrolmentError("a terminal enrols over TLS only: the hub's URL begins with https://")
        }
        if url.path == "/" { url.path = "/graphql" }
        guard url.path.hasSuffix("/graphql"), url.query == nil else {
            throw EnrolmentError("\(text) is no hub's URL; it is what the hub prints, ending in /graphql")
        }
        return url
    }
}
